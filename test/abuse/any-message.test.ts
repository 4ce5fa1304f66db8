/** Messages and headers of every kind, by somebody with a token: ABUSE rows 48, 55 and 57 from the other side. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import fc from 'fast-check'
import { legacySessions } from '@/store'
import { type Era, answerText, events, json, startEchoUpstream } from '../support/echo-upstream.ts'
import {
  answerOf,
  type App,
  type GatewayHouse,
  initialize,
  messagesOf,
  meta,
  modern,
  openGatewayHouse,
  post,
} from '../support/gateway-house.ts'
import { members, object, style, text, value, written } from '../support/odd-json.ts'
import { eventually } from '../support/outside.ts'

const RUNS = 2_500
const MS_MAX = 9_000
const PATIENCE_MS = 5_000
const ERAS: readonly Era[] = ['modern', 'legacy']
const INPUT = {
  resultType: 'input_required',
  inputRequests: { q: { method: 'elicitation/create', params: { message: 'What?' } } },
  requestState: 'theirs',
}
const others = Object.fromEntries(
  [
    ['resources/list', { resources: [{ uri: 'x://a', name: 'a' }] }],
    ['resources/templates/list', { resourceTemplates: [{ uriTemplate: 'x://{a}', name: 'a' }] }],
    ['prompts/list', { prompts: [{ name: 'prompt' }] }],
    ['prompts/get', { messages: [] }],
    ['resources/read', { contents: [{ uri: { toString: 1 }, text: 'a' }] }],
    ['completion/complete', { completion: { values: [] } }],
    ['tasks/get', { taskId: 'their-task', status: 'working' }],
  ].map(([method, result]) => [method, () => ({ result })]),
)
const capabilities = { prompts: {}, resources: {}, completions: {}, logging: {} }
const upstreams = ERAS.map((era) => ({
  era,
  upstream: startEchoUpstream(
    era,
    ({ id, params }) => {
      if (params?.['name'] === 'ask' && era === 'modern') return json(answerText(id, INPUT))
      if (params?.['name'] === 'task')
        return json(
          answerText(
            id,
            era === 'modern' ? { resultType: 'task', taskId: 'their-task' } : { task: { taskId: 'their-task', status: 'working' } },
          ),
        )
      const remark = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { level: { toString: 1 }, data: 'x' } })
      return params?.['name'] === 'stream' ? events(remark, answerText(id, { content: [] })) : json(answerText(id, { content: [] }))
    },
    { tools: ['plain', 'ask', 'task', 'stream'], capabilities, others },
  ),
}))

let house: GatewayHouse
let app: App
let session: string
/** What was once given to this app, to be brought back at the wrong place. */
const marks = { states: [] as string[], tasks: [] as string[] }

beforeAll(async () => {
  house = await openGatewayHouse()
  const ids = await Promise.all(
    upstreams.map(({ era, upstream }) => house.connection(house.admin, era, { settings: { url: upstream.url } })),
  )
  app = await house.app(house.admin, await house.profile(house.admin, 'Any', ids))
  const can = { elicitation: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } }
  for (const name of ['modern__ask', 'modern__task']) {
    const { result } = await answerOf(await modern(app, 'tools/call', { name, arguments: {}, _meta: meta(can) }))
    for (const [of, mark] of [
      [marks.states, result?.['requestState']],
      [marks.tasks, result?.['taskId']],
    ] as const)
      if (typeof mark === 'string') of.push(mark)
  }
  expect([marks.states.length, marks.tasks.length]).toEqual([1, 1])
  // It offers no answers to questions: one that is asked and says nothing is waited for, and rightly.
  session = (await initialize(app, { roots: {} }))['mcp-session-id'] ?? ''
})
afterAll(async () => {
  await house.close()
  await Promise.all(upstreams.map(({ upstream }) => upstream.stop()))
})

const NAMES = ERAS.flatMap((era) => ['plain', 'ask', 'task', 'stream', 'nothing'].map((tool) => `${era}__${tool}`))
const METHODS = [
  'tools/call',
  'tools/call',
  'tools/call',
  'tools/list',
  'prompts/get',
  'prompts/list',
  'resources/read',
  'resources/list',
  'resources/templates/list',
  'resources/subscribe',
  'resources/unsubscribe',
  'completion/complete',
  'logging/setLevel',
  'ping',
  'initialize',
  'server/discover',
  'tasks/get',
  'tasks/result',
  'tasks/cancel',
  'tasks/update',
  'notifications/cancelled',
  'notifications/initialized',
  'notifications/roots/list_changed',
  'skills/list',
  'skills/get',
  'constructor',
  '__proto__',
  'toString',
]
const mark = fc.oneof(
  value,
  fc.nat(50).map((at) => ({ at })),
)
const rarely = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined, freq: 1 })
const odd = fc.oneof(
  value,
  fc.constant({ toString: 1, valueOf: null }),
  fc.constantFrom(...NAMES),
  fc.constantFrom('x://a', 'x://{a}', 'prompt', '', ' '),
)
const params = fc.record(
  {
    name: fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...NAMES) }, { weight: 1, arbitrary: odd }),
    uri: odd,
    arguments: fc.oneof(members, value),
    cursor: rarely(mark),
    requestState: rarely(mark),
    inputResponses: rarely(fc.oneof(value, fc.constant({ q: { action: 'accept', content: {} } }))),
    taskId: mark,
    requestId: odd,
    level: fc.oneof(value, fc.constant('debug')),
    ref: fc.oneof(value, fc.record({ type: fc.constantFrom('ref/prompt', 'ref/resource', 'x'), name: odd, uri: odd })),
    argument: value,
    protocolVersion: value,
    capabilities: value,
    clientInfo: value,
    notifications: value,
    _meta: fc.oneof(value, fc.record({ progressToken: odd, traceparent: odd })),
  },
  { requiredKeys: ['name'] },
)
const message = fc.record({
  isModern: fc.boolean(),
  method: fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...METHODS) }, { weight: 1, arbitrary: text }),
  params: fc.oneof({ weight: 8, arbitrary: params }, { weight: 1, arbitrary: value }),
  id: fc.oneof({ weight: 9, arbitrary: fc.oneof(fc.integer(), text) }, { weight: 1, arbitrary: value }),
  capabilities: fc.oneof(
    { weight: 2, arbitrary: fc.constant({}) },
    { weight: 4, arbitrary: fc.constant({ elicitation: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } }) },
    { weight: 1, arbitrary: value },
  ),
  logLevel: fc.oneof(fc.constant('debug'), value),
  it: style,
  shape: fc.oneof(
    { weight: 4, arbitrary: fc.constant('message' as const) },
    { weight: 1, arbitrary: fc.constantFrom('response', 'batch', 'junk', 'half', 'deep') },
  ),
})
const printable = text.map((each) => each.replace(/[^\x20-\x7e]/g, '').trim())
const headers = fc.record(
  {
    accept: fc.oneof(fc.constantFrom('application/json', 'text/event-stream', 'application/json, text/event-stream', '*/*', ''), printable),
    'content-type': fc.oneof(
      { weight: 8, arbitrary: fc.constant('application/json') },
      { weight: 1, arbitrary: fc.constantFrom('application/json; charset=utf-16', 'text/plain', 'application/jsonl') },
      { weight: 1, arbitrary: printable },
    ),
    'mcp-protocol-version': fc.oneof(fc.constantFrom('2026-07-28', '2025-11-25', '2025-03-26', '2024-11-05', '1999-01-01'), printable),
    'mcp-method': fc.oneof(fc.constantFrom(...METHODS), printable),
    'mcp-name': fc.oneof(fc.constantFrom(...NAMES, '=?base64??=', '=?base64?!?=', '=?base64?/w==?='), printable),
    'mcp-param-x': printable,
    'mcp-session-id': fc.oneof(printable, fc.constant(`${'a'.repeat(22)}.${'b'.repeat(43)}`)),
    'last-event-id': fc.oneof(fc.constant('abcdefghijklmnop-0'), printable),
    traceparent: printable,
    origin: fc.constantFrom('http://localhost', 'null', 'https://evil.example'),
  },
  { requiredKeys: ['content-type'] },
)

/** A mark that was really given, where the message asks for one by number. */
function remembered(given: unknown, of: readonly string[]): unknown {
  const at = (given as { at?: number } | null)?.at
  return typeof at === 'number' && of.length > 0 ? of[at % of.length] : given
}
type Sent = { body: string; ids: unknown[]; method: string; name: unknown }
function sent({
  isModern,
  method,
  params: given,
  id,
  capabilities: can,
  logLevel,
  it,
  shape,
}: (typeof message)['generate'] extends (...args: never) => { value: infer T } ? T : never): Sent {
  const own = { ...(given as Record<string, unknown>) }
  if ('requestState' in own) own['requestState'] = remembered(own['requestState'], marks.states)
  if ('taskId' in own) own['taskId'] = remembered(own['taskId'], marks.tasks)
  if (isModern) own['_meta'] = { ...(own['_meta'] as object), ...meta(can as object, { 'io.modelcontextprotocol/logLevel': logLevel }) }
  const usedParams = typeof given === 'object' && given !== null && !Array.isArray(given) ? own : given
  const pair = (name: string, of: unknown): [string, string][] => (of === undefined ? [] : [[name, written(of, it)]])
  const whole = object([['jsonrpc', '"2.0"'], ...pair('id', id), ['method', written(method, it)], ...pair('params', usedParams)], it)
  const rest = { method, name: own['name'] ?? own['uri'] ?? own['taskId'] }
  if (shape === 'batch') return { body: `[${whole},${whole}]`, ids: [id], ...rest }
  if (shape === 'response')
    return { body: object([['jsonrpc', '"2.0"'], ...pair('id', id), ...pair('result', usedParams)], it), ids: [id], ...rest }
  if (shape === 'junk') return { body: written(given, it), ids: [id, (given as { id?: unknown } | null)?.id], ...rest }
  if (shape === 'half') return { body: whole.slice(0, whole.length / 2), ids: [], ...rest }
  if (shape === 'deep') return { body: whole.replace('{', `{"deep":${'['.repeat(2_000)}${']'.repeat(2_000)},`), ids: [id], ...rest }
  return { body: whole, ids: [id], ...rest }
}

async function demandAnswer(
  { body, ids, method, name }: Sent,
  given: Record<string, string>,
  isHonest: boolean,
  isInSession: boolean,
): Promise<void> {
  const { accept = 'application/json, text/event-stream', ...odd } = given
  const own: Record<string, string> = { accept, ...(!isHonest && odd), ...(isInSession && { 'mcp-session-id': session }) }
  const encoded = `=?base64?${Buffer.from(String(typeof name === 'string' ? name : ''), 'utf8').toString('base64')}?=`
  const isModern = body.includes('2026-07-28')
  const honest = {
    ...(isModern && { 'mcp-protocol-version': '2026-07-28' }),
    'mcp-method': method.replace(/[^\x20-\x7e]/g, ''),
    ...(typeof name === 'string' && { 'mcp-name': encoded }),
  }
  const answer = await post(app, body, { headers: { ...own, ...(isHonest && honest) }, signal: AbortSignal.timeout(PATIENCE_MS) })
  expect(answer.status).not.toBe(500)
  const messages = await messagesOf(answer)
  for (const each of messages) {
    expect(each.jsonrpc).toBe('2.0')
    if (each.method !== undefined) continue
    // Exactly one of the two, to what was asked or to nothing that could be told.
    expect(each.result === undefined).toBe(each.error !== undefined)
    expect([null, ...ids]).toContainEqual(each.id)
    if (each.error) expect([typeof each.error.code, typeof each.error.message]).toEqual(['number', 'string'])
    const { requestState, taskId, task } = each.result ?? {}
    const found = taskId ?? (task as { taskId?: unknown } | undefined)?.taskId
    if (typeof requestState === 'string') marks.states.push(requestState)
    if (typeof found === 'string') marks.tasks.push(found)
  }
  if (answer.status < 300 && answer.status !== 202) expect(messages.length).toBeGreaterThan(0)
}

test('[GATEWAY-ANY-MESSAGE] whatever is sent is answered with its own id or none, and with no fault of ours', async () => {
  let count = 0
  await post(app, '{}').then((answer) => answer.text())
  Bun.gc(true)
  const before = process.memoryUsage().rss
  await fc.assert(
    fc.asyncProperty(
      message,
      headers,
      fc.constantFrom(true, true, true, false),
      fc.boolean(),
      async (given, all, isHonest, isInSession) => {
        await demandAnswer(sent(given), all as Record<string, string>, isHonest, isInSession)
        expect(house.faults).toEqual([])
        count += 1
      },
    ),
    { numRuns: RUNS, interruptAfterTimeLimit: MS_MAX, markInterruptAsFailure: false },
  )
  expect(count).toBeGreaterThan(500)
  // Nothing is left under way. What still waits for an answer of the app is bounded, and was counted as a grant's.
  expect(await eventually(() => house.house.gateway.open().length <= 1)).toBe(true)
  const rows = await house.house.store.read.$count(legacySessions)
  expect(rows).toBeLessThanOrEqual(100)
  Bun.gc(true)
  expect(process.memoryUsage().rss - before).toBeLessThan(300 * 1024 * 1024)
}, 30_000)

test('[GATEWAY-ANY-MESSAGE] a stream that is opened with any header is let in or refused, and is gone with its client', async () => {
  await fc.assert(
    fc.asyncProperty(headers, fc.constantFrom('GET', 'DELETE', 'PUT', 'PATCH', 'OPTIONS'), async (given, method) => {
      const all = { ...(given as Record<string, string>), authorization: `Bearer ${app.token}` }
      const ending = new AbortController()
      const answer = await fetch(app.url, { method, headers: all, signal: ending.signal })
      expect(answer.status).not.toBe(500)
      ending.abort()
    }),
    { numRuns: 300, interruptAfterTimeLimit: 3_000, markInterruptAsFailure: false },
  )
  expect(house.faults).toEqual([])
  // Those of a session could be taken up again for a minute; none of them is heard by anybody, so none keeps another from opening.
  const again = await Promise.all(
    Array.from({ length: 20 }, () => fetch(app.url, { headers: { accept: 'text/event-stream', authorization: `Bearer ${app.token}` } })),
  )
  expect(again.map(({ status }) => status)).toEqual(again.map(() => 200))
  await Promise.all(again.map((answer) => answer.body?.cancel()))
})
