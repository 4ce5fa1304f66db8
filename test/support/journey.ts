/** A person's way to a working app, by pages and forms alone: connection, profile, consent, token. */
import { createPerson, valuesOf } from '../../bench/person.ts'
import { ADMIN, type Running } from './running.ts'

export type Person = ReturnType<typeof createPerson>
export type Tokens = { access_token: string; refresh_token: string; token_type: string; expires_in: number; scope: string }
export const CALLBACK = 'http://127.0.0.1:9/callback'
const PATIENCE_MS = 20_000

export async function signedIn(running: Running, { username, password } = ADMIN): Promise<Person> {
  const person = createPerson(running.url)
  await person.submit(await person.open('/login'), '/login', { username, password })
  return person
}

/** @returns the page of the new connection */
export async function addHttpConnection(person: Person, name: string, url: string, headers = ''): Promise<string> {
  const form = await person.open('/connections/new?connector=streamable-http')
  const made = await person.submit(form, '/connections', { name, 'settings.url': url, 'settings.headers': headers })
  return new URL(made.url).pathname
}

/** Makes a profile with the tools that are `wanted`, or with everything there is. Waits until `count` tools are there. */
export async function makeProfile(person: Person, title: string, count: number, wanted?: (index: number) => boolean): Promise<string> {
  const made = await person.submit(await person.open('/profiles'), '/profiles', { title })
  const page = new URL(made.url).pathname
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    const current = await person.open(page)
    // Prompts and resources are picked beside the tools, and are no tools.
    const tools = [...current.html.matchAll(/<input[^>]*name="tool_id"[^>]*value="([^"]+)"[^>]*data-feature="tool"/g)].map(
      ([, id = '']) => id,
    )
    if (tools.length >= count) {
      const ids = wanted ? tools.filter((_, index) => wanted(index)) : valuesOf(current.html, 'tool_id')
      await person.submit(current, `${page}/tools`, { tool_id: ids })
      return page
    }
    if (performance.now() > until) throw new Error(`${count} tools did not come, only ${tools.length}`)
    await Bun.sleep(100)
  }
}

export async function register(running: Running, metadata: object = {}): Promise<string> {
  const answer = await fetch(`${running.url}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_name: 'journey', redirect_uris: [CALLBACK], token_endpoint_auth_method: 'none', ...metadata }),
  })
  if (answer.status !== 201) throw new Error(`registration answered ${answer.status}: ${await answer.text()}`)
  return ((await answer.json()) as { client_id: string }).client_id
}

/** Without a profile it comes to `/mcp`, and gets the one that the page proposes. */
type Choice = { profile: string | undefined; toolIds?: (offered: string[]) => string[] }

/** Authorize, consent, code, token. */
export async function connectApp(
  running: Running,
  person: Person,
  { profile, toolIds = (all) => all }: Choice,
): Promise<Tokens & { clientId: string }> {
  const clientId = await register(running)
  const verifier = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')
  const resource = profile === undefined ? `${running.url}/mcp` : `${running.url}/mcp/${profile}`
  const asked = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: CALLBACK,
    code_challenge: new Bun.CryptoHasher('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    resource,
    scope: 'mcp offline_access',
    state: 'journey',
  })
  const consent = await person.open(`/oauth/authorize?${asked}`)
  const chosen = toolIds(valuesOf(consent.html, 'tool_id'))
  const allowed = await person.submit(consent, '/oauth/authorize/decide', { decision: 'allow', tool_id: chosen, expires: 'never' })
  const code = new URL(allowed.location ?? running.url).searchParams.get('code') ?? ''
  const answer = await fetch(`${running.url}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: CALLBACK,
      client_id: clientId,
      code_verifier: verifier,
      resource,
    }),
  })
  if (!answer.ok) throw new Error(`token answered ${answer.status}: ${await answer.text()}`)
  return { ...((await answer.json()) as Tokens), clientId }
}

const META = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} }

/** One request of revision 2026-07-28, by hand. */
export function callMcp(
  running: Running,
  profile: string,
  token: string,
  method: string,
  params: Record<string, unknown> = {},
  headers: Record<string, string> = {},
  signal?: AbortSignal,
) {
  const name = params['name']
  return fetch(`${running.url}/mcp${profile === '' ? '' : `/${profile}`}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: META } }),
    ...(signal && { signal }),
  })
}
export const readMcp = async (answer: Response) => {
  const text = await answer.text()
  return JSON.parse(/^data: (\{.*\})$/m.exec(text)?.[1] ?? text) as {
    result?: Record<string, unknown>
    error?: { code: number; message: string }
  }
}
