/** Toolpass as a client meets it: connections, a profile, and a token from a real registration, consent and exchange. */
import { valuesOf } from './person.ts'
import { freePort, makeFolder } from './processes.ts'
import { askOf, listOf, messageIn, type Way } from './requests.ts'
import { type Person, type Place, signIn, startToolpass, type Toolpass } from './toolpass.ts'

const PATIENCE_MS = 60_000
const CALLBACK = 'http://127.0.0.1:9/callback'

/** What connections are made of: the port of an HTTP server, or the arguments of a program. */
export type Far = number | readonly string[]
export type House = { place: Place; toolpass: Toolpass; person: Person; path: string; token: string; tools: string[]; remove(): void }

/** Toolpass with a connection to each of these, all their tools in one profile, and a client that may use them all. */
export async function prepareHouse(far: readonly Far[], toolsPerConnection: number): Promise<House> {
  const { folder, remove } = makeFolder('data')
  const place = { folder, port: await freePort() }
  const toolpass = await startToolpass(place)
  const end = toolpass.stop
  try {
    const person = await signIn(toolpass.origin)
    await addConnections(person, far)
    const [path = ''] = await makeProfiles(person, far.length * toolsPerConnection)
    const { token } = await letIn(person, toolpass.origin, path, await register(toolpass.origin))
    const tools = await toolsOf(toolpass.origin, path, token)
    return { place, toolpass, person, path, token, tools, remove }
  } catch (error) {
    await end()
    remove()
    throw error
  }
}

/** The exposed name of what this connection, counted from 0, or else any calls so. Which way names are joined is not for us to know. */
export function toolNamed({ tools }: Pick<House, 'tools'>, name: string, connection?: number): string {
  const shape = new RegExp(`^bench-${connection ?? '[0-9]+'}[^a-z0-9]+${name}$`)
  const found = tools.find((each) => shape.test(each))
  if (!found) throw new Error(`the profile lists no ${name} of connection ${connection ?? 'any'}: ${JSON.stringify(tools.slice(0, 20))}`)
  return found
}

export async function addConnections(person: Person, far: readonly Far[]): Promise<void> {
  for (const [at, each] of far.entries()) {
    const connector = typeof each === 'number' ? 'streamable-http' : 'stdio'
    const settings: Record<string, string> =
      typeof each === 'number'
        ? { 'settings.url': `http://127.0.0.1:${each}/mcp` }
        : { 'settings.command': 'javascript', 'settings.args': each.join('\n') }
    await person.submit(await person.open(`/connections/new?connector=${connector}`), '/connections', { name: `Bench ${at}`, ...settings })
  }
}

/**
 * Profiles with all these tools, so many a profile, named after their connections always: renaming is part of what a call costs.
 * @returns the paths of their endpoints
 */
export async function makeProfiles(person: Person, tools: number, perProfile = tools): Promise<string[]> {
  const paths: string[] = []
  for (let from = 0; from < tools; from += perProfile) {
    const title = paths.length === 0 ? 'Bench' : `Bench ${paths.length + 1}`
    const page = new URL((await person.submit(await person.open('/profiles'), '/profiles', { title })).url).pathname
    // Connections are tried in the background; their tools appear when they have answered.
    const filled = await until(`${tools} tools`, async () => {
      const current = await person.open(page)
      return valuesOf(current.html, 'tool_id').length >= tools ? current : undefined
    })
    await person.submit(filled, `${page}/tools`, { tool_id: valuesOf(filled.html, 'tool_id').slice(from, from + perProfile) })
    await person.submit(await person.open(page), page, { naming: 'always' })
    paths.push(`/mcp/${title.toLowerCase().replace(' ', '-')}`)
  }
  return paths
}

/** @returns the client's id */
export async function register(origin: string): Promise<string> {
  const client = await post(`${origin}/oauth/register`, {
    client_name: 'bench',
    redirect_uris: [CALLBACK],
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
  })
  return String(client['client_id'])
}

/** Authorize, consent, code, token. */
export async function letIn(person: Person, origin: string, path: string, client: string): Promise<{ token: string; refresh: string }> {
  const verifier = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')
  const parameters = new URLSearchParams({
    response_type: 'code',
    client_id: client,
    redirect_uri: CALLBACK,
    code_challenge: new Bun.CryptoHasher('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    resource: origin + path,
    scope: 'mcp offline_access',
    state: 'bench',
  })
  const consent = await person.open(`/oauth/authorize?${parameters}`)
  const allowed = await person.submit(consent, '/oauth/authorize/decide', {
    decision: 'allow',
    tool_id: valuesOf(consent.html, 'tool_id'),
    expires: 'never',
  })
  const code = new URL(allowed.location ?? origin).searchParams.get('code')
  if (!code) throw new Error(`no code came back: ${allowed.location ?? allowed.url}`)
  const exchange = { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: verifier, resource: origin + path }
  const tokens = await post(`${origin}/oauth/token`, new URLSearchParams({ ...exchange, client_id: client }))
  return { token: String(tokens['access_token']), refresh: String(tokens['refresh_token']) }
}

/** @returns the next refresh token */
export async function refresh(origin: string, client: string, token: string): Promise<string> {
  const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: client, refresh_token: token })
  return String((await post(`${origin}/oauth/token`, form))['refresh_token'])
}

/** The names of the tools that this token is shown. */
export async function toolsOf(origin: string, path: string, token: string): Promise<string[]> {
  const { headers, body } = listOf(bearer(token))
  const { result } = await post(origin + path, JSON.parse(body) as object, headers)
  return (result as { tools?: { name: string }[] } | undefined)?.tools?.map(({ name }) => name) ?? []
}

export const bearer = (token: string): Way => ({ headers: { authorization: `Bearer ${token}` }, isLegacy: false })

/** As a client of revision 2025-11-25 does first. @returns how it speaks from then on */
export async function openSession(origin: string, path: string, token: string): Promise<Way> {
  const way: Way = { headers: { authorization: `Bearer ${token}` }, isLegacy: true }
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } }
  const { headers, body } = askOf(way, 'initialize', params)
  const response = await fetch(origin + path, { method: 'POST', headers, body })
  const session = response.headers.get('mcp-session-id')
  if (!response.ok || session === null) throw new Error(`no session: ${response.status} ${(await response.text()).slice(0, 400)}`)
  await response.body?.cancel()
  const open: Way = { ...way, headers: { ...way.headers, 'mcp-session-id': session } }
  const notified = await fetch(origin + path, {
    method: 'POST',
    headers: askOf(open, 'notifications/initialized', {}).headers,
    body: JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }),
  })
  if (notified.status !== 202) throw new Error(`notifications/initialized answered ${notified.status}`)
  return open
}

async function post(url: string, body: URLSearchParams | object, headers: Record<string, string> = {}): Promise<Record<string, unknown>> {
  const form = body instanceof URLSearchParams
  const type = form ? 'application/x-www-form-urlencoded' : 'application/json'
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': type, ...headers },
    body: form ? body.toString() : JSON.stringify(body),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text.slice(0, 400)}`)
  return messageIn(text)
}

async function until<T>(what: string, attempt: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    const found = await attempt()
    if (found !== undefined) return found
    if (performance.now() > end) throw new Error(`${what} did not come`)
    await Bun.sleep(200)
  }
}
