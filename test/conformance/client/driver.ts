/**
 * Our side toward upstreams, as the conformance tool wants to see it: a program that is given a server's address, connects it
 * as somebody here would (by address, one click to sign in), and does with its tools what the scenario waits for.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openHouse } from '@/app.ts'
import { loadConfig } from '@/config'
import { mirroredHeaders } from '@/connections'
import { createLog } from '@/lib/log.ts'
import type { User } from '@/users'

const HOME = { origin: 'https://conformance-test.local', base: '' }
const CALL_MS = 10_000
const SIGN_INS_MAX = 3
const ROUNDS_MAX = 5

const url = process.argv.at(-1) ?? ''
const scenario = process.env['MCP_CONFORMANCE_SCENARIO'] ?? ''
type ToolCall = { name: string; arguments: Record<string, unknown> }
type Context = { client_id?: string; client_secret?: string; toolCalls?: ToolCall[] }
const context = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as Context
const folder = mkdtempSync(join(tmpdir(), 'toolpass-conformance-'))
const log = createLog({ level: 'error', format: 'json', write: (line) => void process.stderr.write(`${line}\n`) })
const house = await openHouse(loadConfig({ env: { TOOLPASS_DATA_DIR: folder }, flags: {} }), log)
const { connections } = house
const user = (await house.users.create('command line', { username: 'ada', role: 'admin', password: 'correct horse battery' })) as User
const session = { user, hash: 'the one browser of this test', provenAt: Date.now() }

try {
  const { id } = await connections.add(user, { connector: 'streamable-http', name: 'Under test', visibility: 'private', settings: { url } })
  await connections.waitForProbe(id)
  if (context.client_id !== undefined) await registered(id)
  for (let count = 0; count < SIGN_INS_MAX && (await wantsSignIn(id)); count += 1) await signIn(id)
  await use(id)
  // A server may ask for more than was granted once a tool is called.
  if (await wantsSignIn(id)) {
    await signIn(id)
    await use(id)
  }
} catch (error) {
  process.stderr.write(`${scenario}: ${String(error)}\n`)
  process.exitCode = 1
} finally {
  await house.close()
  rmSync(folder, { recursive: true, force: true })
}
process.exit()

type Id = Parameters<typeof connections.waitForProbe>[0]

async function registered(id: Id): Promise<void> {
  await connections.signIn.setClient(user, id, {
    clientId: context.client_id ?? '',
    clientSecret: context.client_secret ?? '',
    issuer: '',
  })
  if (scenario.includes('client-credentials')) await connections.signIn.configure(user, id, { grant: 'client_credentials' })
}

async function wantsSignIn(id: Id): Promise<boolean> {
  const { state } = await connections.signIn.stateOf(user, id)
  return state !== 'not-needed' && state !== 'signed-in'
}

/** One click, a browser that follows, and the way back. */
async function signIn(id: Id): Promise<void> {
  const begun = await connections.signIn.begin(session, id, { home: HOME, returnTo: '/' })
  if (begun.kind === 'needs-client') throw new Error('only a client registered by hand will do')
  if (begun.kind === 'go') {
    const answer = await fetch(begun.to, { redirect: 'manual' })
    const back = new URL(answer.headers.get('location') ?? '', begun.to)
    await connections.signIn.finish(session, back.searchParams, back.origin + back.pathname)
  }
  await connections.waitForProbe(id)
}

/** Calls what the scenario names, else each tool that is listed, with arguments that its schema takes. */
async function use(id: Id): Promise<void> {
  const upstream = await connections.reach(id, user.id)
  const listed = await connections.tools([id])
  const calls = context.toolCalls ?? listed.map(({ name, definition }) => ({ name, arguments: samplesFor(definition['inputSchema']) }))
  for (const { name, arguments: args } of calls) {
    const definition = listed.find((tool) => tool.name === name)?.definition
    // A tool that was left out of the list is called by nobody.
    if (!definition) continue
    const meta = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} }, sampling: {}, roots: {} } }
    const options = { signal: AbortSignal.timeout(CALL_MS), timeoutMs: CALL_MS, meta, headers: mirroredHeaders(definition, args) }
    try {
      let { result } = await upstream.request('tools/call', { name, arguments: args }, options)
      // An app behind the gateway answers what it is asked and sends the state back as it came (SEP-2322).
      for (let rounds = 0; result?.['resultType'] === 'input_required' && rounds < ROUNDS_MAX; rounds += 1)
        result = (await upstream.request('tools/call', { name, arguments: args, ...answered(result) }, options)).result
    } catch (error) {
      process.stderr.write(`${scenario}: ${name}: ${String(error)}\n`)
    }
  }
}

function answered({ inputRequests, requestState }: Record<string, unknown>): Record<string, unknown> {
  const asked = Object.entries((inputRequests ?? {}) as Record<string, { method?: string }>)
  const inputResponses = Object.fromEntries(asked.map(([key, { method }]) => [key, responseTo(method)]))
  return { ...(asked.length > 0 && { inputResponses }), ...(requestState !== undefined && { requestState }) }
}

function responseTo(method: string | undefined): Record<string, unknown> {
  if (method === 'roots/list') return { roots: [] }
  if (method === 'sampling/createMessage') return { role: 'assistant', content: { type: 'text', text: 'text' }, model: 'none' }
  return { action: 'accept', content: { name: 'text', confirmed: true } }
}

function samplesFor(schema: unknown): Record<string, unknown> {
  const { properties = {} } = (schema ?? {}) as { properties?: Record<string, { type?: string }> }
  return Object.fromEntries(Object.entries(properties).map(([name, { type }], at) => [name, sampleOf(type, at)]))
}

function sampleOf(type: string | undefined, at: number): unknown {
  if (type === 'number' || type === 'integer') return at + 2
  if (type === 'boolean') return true
  if (type === 'array') return []
  return type === 'object' ? {} : 'text'
}
