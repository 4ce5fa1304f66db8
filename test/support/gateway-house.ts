/** The whole house on a port of its own, with users, upstreams, profiles and apps that have real tokens: what is under test is the gateway. */
import type { ConnectionId, GrantId } from '@/lib/ids.ts'
import type { Profile } from '@/profiles'
import type { User } from '@/users'
import { openInside } from './house-inside.ts'
import { connectApp, type Person, signedIn } from './journey.ts'

type Server = {
  connector?: 'streamable-http' | 'stdio'
  settings: Record<string, unknown>
  visibility?: 'private' | 'open'
  credentialOf?: 'owner' | 'each'
}
/** An app with its token at one profile. */
export type App = { url: string; token: string; refreshToken: string; clientId: string; grantId: GrantId; user: User; profile: Profile }

const PASSWORD = 'correct horse battery'
export const MODERN = '2026-07-28'
const META = 'io.modelcontextprotocol/'

export async function openGatewayHouse(seams: Parameters<typeof openInside>[1] = {}) {
  const { house, running, faults, admin, close } = await openInside('gateway', seams)
  const people = new Map<string, Person>()

  const user = (username: string, role: 'admin' | 'member' = 'member'): Promise<User> =>
    house.users.create('command line', { username, password: PASSWORD, role })
  const personOf = async ({ username }: User): Promise<Person> => {
    const person = people.get(username) ?? (await signedIn(running, { username, password: PASSWORD }))
    people.set(username, person)
    return person
  }

  return {
    house,
    faults,
    admin,
    user,
    /** Signed in, with pages and forms. */
    personOf,
    url: running.url,
    /** @throws where it does not come to work */
    async connection(owner: User, name: string, { connector = 'streamable-http', settings, visibility = 'private', credentialOf }: Server) {
      const asked = { connector, name, visibility, settings: settings as never, ...(credentialOf && { credentialOf }) }
      const { id } = await house.connections.add(owner, asked)
      await house.connections.waitForProbe(id)
      const { status } = await house.connections.demand(owner, id)
      if (status !== 'ready') throw new Error(`${name} is ${status}: ${JSON.stringify(house.connections.probeOf(id))}`)
      return id
    },
    /** With everything that the connections list, under the names that their servers gave, or prefixed ones. */
    async profile(owner: User, title: string, ids: readonly ConnectionId[], naming: 'never' | 'always' = 'always') {
      const profile = await house.profiles.create(owner, { title })
      await house.profiles.update(owner, profile.id, { title, description: '', naming })
      const listed = await house.connections.everything(ids)
      await house.profiles.setTools(
        owner,
        profile.id,
        listed.map(({ id }) => id),
      )
      return profile
    },
    /** Consent, code and token, as an app of this user gets them. */
    async app(of: User, profile: Profile): Promise<App> {
      const { access_token, refresh_token, clientId } = await connectApp(running, await personOf(of), { profile: profile.name })
      const verified = await house.oauth.verify(access_token)
      if (!verified || !('grantId' in verified)) throw new Error('the token that was just issued is worth nothing')
      const url = `${running.url}/mcp/${profile.name}`
      return { url, token: access_token, refreshToken: refresh_token, clientId, grantId: verified.grantId, user: of, profile }
    },
    close,
  }
}
export type GatewayHouse = Awaited<ReturnType<typeof openGatewayHouse>>

export type Message = {
  jsonrpc?: string
  id?: unknown
  method?: string
  params?: Record<string, unknown>
  result?: Record<string, unknown>
  error?: { code: number; message: string; data?: unknown }
}

const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
type Sent = { headers?: Record<string, string>; signal?: AbortSignal }

export const meta = (capabilities: object = {}, more: object = {}) => ({
  [`${META}protocolVersion`]: MODERN,
  [`${META}clientCapabilities`]: capabilities,
  ...more,
})
/** What a modern request says in its headers as well. */
export function modernHeaders(method: string, name?: unknown): Record<string, string> {
  const plain = typeof name === 'string' && /^[\x21-\x7e]+$/.test(name)
  const encoded = plain ? name : `=?base64?${Buffer.from(String(name), 'utf8').toString('base64')}?=`
  return { 'mcp-protocol-version': MODERN, 'mcp-method': method, ...(name !== undefined && { 'mcp-name': encoded }) }
}

export const post = ({ url, token }: Pick<App, 'url' | 'token'>, body: string, { headers = {}, signal }: Sent = {}) =>
  fetch(url, { method: 'POST', headers: { ...HEADERS, authorization: `Bearer ${token}`, ...headers }, body, ...(signal && { signal }) })

let lastId = 0
/** A request of revision 2026-07-28. */
export function modern(app: App, method: string, params: Record<string, unknown> = {}, { headers = {}, signal }: Sent = {}) {
  lastId += 1
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: lastId,
    method,
    params: { ...params, _meta: { ...meta(), ...(params['_meta'] as object) } },
  })
  const name = params['name'] ?? params['uri'] ?? params['taskId']
  return post(app, body, { headers: { ...modernHeaders(method, name), ...headers }, ...(signal && { signal }) })
}
/** A request of an older revision, in a session where one is given. */
export function legacy(app: App, method: string, params: Record<string, unknown> = {}, { headers = {}, signal }: Sent = {}) {
  lastId += 1
  return post(app, JSON.stringify({ jsonrpc: '2.0', id: lastId, method, params }), { headers, ...(signal && { signal }) })
}
/** @returns the headers of the session */
export async function initialize(app: App, capabilities: object = {}, protocolVersion = '2025-11-25'): Promise<Record<string, string>> {
  const answer = await legacy(app, 'initialize', { protocolVersion, capabilities, clientInfo: { name: 'test', version: '1' } })
  await answer.text()
  return { 'mcp-session-id': answer.headers.get('mcp-session-id') ?? '', 'mcp-protocol-version': protocolVersion }
}

/** All messages of an answer, JSON or stream, the comments and primers of a stream left out. */
export async function messagesOf(answer: Response): Promise<Message[]> {
  const text = await answer.text()
  if (text === '') return []
  if (!answer.headers.get('content-type')?.startsWith('text/event-stream')) return [JSON.parse(text)].flat()
  // Not by a pattern for lines: to those the separators of Unicode, which may stand in JSON, end one.
  return text.split('\n').flatMap((line) => (line.startsWith('data: {') ? [JSON.parse(line.slice(6))] : []))
}
/** The one that is the answer. */
export async function answerOf(answer: Response): Promise<Message> {
  const found = (await messagesOf(answer)).findLast((message) => message.result !== undefined || message.error !== undefined)
  if (!found) throw new Error('nothing was answered')
  return found
}
export const textIn = ({ result }: Message): string => (result?.['content'] as { text: string }[] | undefined)?.[0]?.text ?? ''
export const isError = ({ result }: Message): boolean => result?.['isError'] === true
