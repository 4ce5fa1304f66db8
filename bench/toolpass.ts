/** Toolpass as a client meets it: a running program, a connection to the upstream, a profile, and a token from a real consent. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createPerson, type Page, valuesOf } from './person.ts'
import { freePort, type Started, start, stop, waitFor } from './processes.ts'

export type Prepared = Started & { path: string; token: string; tool: string; program: string }
type Person = ReturnType<typeof createPerson>

const root = resolve(import.meta.dir, '..')
const PATIENCE_MS = 15_000
const CALLBACK = 'http://127.0.0.1:9/callback'
const PASSWORD = 'a long password for a short life'

/** Toolpass on an empty data folder, with somebody signed in. */
export async function openToolpass(env: Record<string, string> = {}) {
  const executable = join(root, 'dist/toolpass')
  const compiled = existsSync(executable)
  const folder = mkdtempSync(join(tmpdir(), 'toolpass-bench-'))
  const port = await freePort()
  const child = start(compiled ? [executable, 'serve'] : [process.execPath, join(root, 'src/main.ts'), 'serve'], {
    TOOLPASS_PORT: String(port),
    TOOLPASS_DATA_DIR: folder,
    TOOLPASS_LOG_LEVEL: 'warn',
    TOOLPASS_ADMIN_USERNAME: 'bench',
    TOOLPASS_ADMIN_PASSWORD: PASSWORD,
    ...env,
  })
  const end = async () => {
    await stop(child)
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const origin = `http://localhost:${port}`
    await waitFor(`${origin}/healthz`, PATIENCE_MS)
    const person = createPerson(origin)
    await person.submit(await person.open('/login'), '/login', { username: 'bench', password: PASSWORD })
    return { port, origin, person, program: compiled ? 'dist/toolpass' : 'src/main.ts', pids: () => [child.pid], stop: end }
  } catch (error) {
    await end()
    throw error
  }
}

/** Brings it to where a client can call `echo` through it. */
export async function prepareToolpass(upstreamPort: number): Promise<Prepared> {
  const { origin, person, ...opened } = await openToolpass()
  try {
    const path = await makeProfile(person, upstreamPort)
    const { token } = await letIn(person, origin, path, await register(origin))
    const tool = await findTool(origin + path, token)
    return { ...opened, path, token, tool }
  } catch (error) {
    await opened.stop()
    throw error
  }
}

/** @returns the path of the profile's MCP endpoint */
export async function makeProfile(person: Person, upstreamPort: number): Promise<string> {
  const form = await person.open('/connections/new?connector=streamable-http')
  await person.submit(form, '/connections', { name: 'Bench', 'settings.url': `http://127.0.0.1:${upstreamPort}/mcp` })
  const made = await person.submit(await person.open('/profiles'), '/profiles', { title: 'Bench' })
  const page = new URL(made.url).pathname
  // The connection is tried in the background; its tools appear when it has answered.
  const filled = await until('the tools of the connection', async () => {
    const current = await person.open(page)
    return valuesOf(current.html, 'tool_id').length > 0 ? current : undefined
  })
  await person.submit(filled, `${page}/tools`, { tool_id: valuesOf(filled.html, 'tool_id') })
  return '/mcp/bench'
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
  const allowed: Page = await person.submit(consent, '/oauth/authorize/decide', {
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

async function findTool(endpoint: string, token: string): Promise<string> {
  const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} }
  const request = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: meta } }
  const headers = { authorization: `Bearer ${token}`, accept: 'application/json, text/event-stream', 'mcp-method': 'tools/list' }
  const { result } = await post(endpoint, request, { ...headers, 'mcp-protocol-version': '2026-07-28' })
  const names = (result as { tools?: { name: string }[] } | undefined)?.tools?.map(({ name }) => name) ?? []
  const name = names.find((each) => each.endsWith('echo'))
  if (!name) throw new Error(`the profile lists no echo: ${JSON.stringify(names)}`)
  return name
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
  // A stream of one event is as good as its data.
  return JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text) as Record<string, unknown>
}

async function until<T>(what: string, attempt: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    const found = await attempt()
    if (found !== undefined) return found
    if (performance.now() > end) throw new Error(`${what} did not come`)
    await Bun.sleep(100)
  }
}
