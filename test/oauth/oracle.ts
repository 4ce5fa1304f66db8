/**
 * Somebody else's authorization server, certified for OpenID Connect, set up to do what ours does: `oidc-provider` on
 * loopback. Where both must behave alike, a test that holds for it is no invention of ours.
 */
import { createServer } from 'node:http'
import Provider, { type Configuration } from 'oidc-provider'
import { createPerson, type Page } from '../../bench/person.ts'
import { freePort } from '../support/running.ts'
import { readMetadata, type Target, type Word } from './target.ts'

const SCOPES = 'mcp offline_access'
/** Stands for the server that guards the resource, and may ask about every token. */
const GUARD = { client_id: 'guard', client_secret: 'the secret of the guard' }

export async function startOracle(): Promise<Target> {
  const port = await freePort()
  const issuer = `http://127.0.0.1:${port}`
  const resources = { resource: `${issuer}/mcp/work`, otherResource: `${issuer}/mcp` }
  const provider = quietly(() => new Provider(issuer, configuration(Object.values(resources))))
  const callback = provider.callback()
  const server = createServer((request, response) => void callback(request, response))
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done))
  const metadata = await readMetadata(issuer)
  const person = createPerson(issuer)
  const authorization = `Basic ${btoa([GUARD.client_id, encodeURIComponent(GUARD.client_secret)].join(':'))}`

  const signedIn = async (page: Page) =>
    page.html.includes('name="login"') ? person.submit(page, actionOf(page), { prompt: 'login', login: 'ada', password: 'any' }) : page
  const visit = async (address: string) => signedIn(await person.open(address))
  const answerOn = (page: Page, word: Word) =>
    word === 'allow' ? person.submit(page, actionOf(page), { prompt: 'consent' }) : person.open(`${actionOf(page)}/abort`)
  return {
    name: 'oracle',
    issuer,
    metadata,
    ...resources,
    visit,
    visitAsStranger: (address) => createPerson(issuer).open(address),
    async answer(address, word) {
      const page = await visit(address)
      const answered = page.location === undefined ? await answerOn(page, word) : page
      return new URL(answered.location ?? '')
    },
    async answerDevice({ verification_uri, user_code }, word) {
      const page = await person.open(verification_uri)
      const found = await person.submit(page, actionOf(page), { user_code })
      if (!found.html.includes('name="confirm"')) throw new Error('the code was not taken')
      if (word === 'deny') await person.submit(found, actionOf(found), { abort: 'yes' })
      else await answerOn(await signedIn(await person.submit(found, actionOf(found), {})), word)
    },
    async accepts(token) {
      const asked = { method: 'POST', headers: { authorization }, body: new URLSearchParams({ token }) }
      const answer = (await (await fetch(metadata.introspection_endpoint, asked)).json()) as { active?: boolean; token_type?: string }
      return answer.active === true && answer.token_type === 'Bearer'
    },
    async stop() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}

const actionOf = ({ url, html }: Page): string => {
  const action = /<form[^>]* action="([^"]+)"/.exec(html)?.[1]
  if (action === undefined) throw new Error(`${url} has no form: ${html.slice(0, 300)}`)
  return action
}

/** It warns of being a toy (no https, all in memory, forms without passwords), which is what is wanted here. */
function quietly<T>(make: () => T): T {
  const { info, warn } = console
  Object.assign(console, { info: () => undefined, warn: () => undefined })
  try {
    return make()
  } finally {
    Object.assign(console, { info, warn })
  }
}

const configuration = (resources: readonly string[]): Configuration => ({
  clients: [{ ...GUARD, redirect_uris: [], response_types: [], grant_types: [] }],
  scopes: SCOPES.split(' '),
  responseTypes: ['code'],
  pkce: { required: () => true },
  allowOmittingSingleRegisteredRedirectUri: false,
  rotateRefreshToken: true,
  issueRefreshToken: async (_, client) => client.grantTypeAllowed('refresh_token'),
  clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  clientBasedCORS: () => true,
  cookies: { keys: ['a key for tests'] },
  findAccount: async (_, accountId) => ({ accountId, claims: async () => ({ sub: accountId }) }),
  ttl: {
    ...{ AccessToken: 3600, AuthorizationCode: 60, DeviceCode: 600, Grant: 3600, IdToken: 3600 },
    ...{ Interaction: 600, RefreshToken: 3600, Session: 3600 },
  },
  features: {
    devInteractions: { enabled: true },
    deviceFlow: { enabled: true },
    dPoP: { enabled: false },
    introspection: {
      enabled: true,
      allowedPolicy: async (_, client, token) =>
        client.clientId === GUARD.client_id || (client.clientAuthMethod !== 'none' && token.clientId === client.clientId),
    },
    pushedAuthorizationRequests: { enabled: true },
    registration: { enabled: true },
    registrationManagement: { enabled: true, rotateRegistrationAccessToken: false },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: async () => resources[0] as string,
      useGrantedResource: async () => true,
      async getResourceServerInfo(_, resource) {
        if (!resources.includes(resource)) throw new (await import('oidc-provider')).errors.InvalidTarget()
        return { scope: SCOPES, audience: resource, accessTokenFormat: 'opaque', accessTokenTTL: 3600 }
      },
    },
  },
})
