/** What is exchanged where it stands has to be what would have been written anew: in every reading, of every text. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { compose, type Composing } from '@/gateway/compose.ts'
import { digested, spliced } from '@/gateway/digest.ts'
import { readMessages } from '@/gateway/messages.ts'
import { serverInfo } from '@/gateway/results.ts'
import { cleanParams } from '@/gateway/targets.ts'
import type { JsonObject } from '@/plugins'
import type { Profile } from '@/profiles'
import { requestText } from '../../plugins/request-text.ts'
import { readings } from '../support/json-readings.ts'
import { members, object, type Style, style, text, value, written } from '../support/odd-json.ts'

const META = 'io.modelcontextprotocol/'
const VERSION = { [`${META}protocolVersion`]: '2026-07-28', [`${META}clientCapabilities`]: {} }
const PROFILE = { name: 'work', title: 'Work' } as Profile
const UPSTREAM_ID = 57
const FILLING = 'x'.repeat(16_384)
const parse = (it: string) => JSON.parse(it)

/** As the gateway makes them of a body, or undefined where it is refused. */
async function composed(body: string): Promise<{ text: string; given: Composing } | undefined> {
  const request = new Request('http://localhost/', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const asked = await readMessages(request).catch(() => undefined)
  if (asked === undefined || Array.isArray(asked) || asked.kind !== 'request') return undefined
  const { name: _, inputResponses, requestState, _meta, ...rest } = cleanParams(asked.params)
  const params: JsonObject = { name: 'theirs', ...rest }
  const given = {
    id: UPSTREAM_ID,
    asked,
    target: { name: 'theirs', params } as Composing['target'],
    params,
    isModern: true,
    progress: false,
    meta: (_meta ?? {}) as JsonObject,
  }
  return { text: requestText(compose(given)), given }
}

/** What of the reserved metadata may go to an upstream. */
const CARRIED = ['protocolVersion', 'clientCapabilities', 'clientInfo', 'logLevel'].map((name) => META + name)

async function demandFaithful(body: string): Promise<boolean> {
  const made = await composed(body)
  if (!made) return false
  const { given } = made
  const anewText = requestText(compose({ ...given, asked: { ...given.asked, isPlain: false } }))
  const anew = parse(anewText)
  const { _meta: theirs, ...sent } = parse(made.text).params
  const { _meta: ours, ...expected } = anew.params
  expect({ ...parse(made.text), params: sent }).toEqual({ ...anew, params: expected })
  // A client need not say who it is. Written anew the request says that it is us; as it came, nothing.
  const { [`${META}clientInfo`]: _, ...named } = ours
  const { [`${META}clientInfo`]: __, ...unnamed } = theirs
  expect(unnamed).toEqual(named)
  expect(Object.keys(theirs).filter((name) => name.startsWith(META) && !CARRIED.includes(name))).toEqual([])
  for (const read of readings(made.text)) {
    expect([read['id'], read['method']]).toEqual([UPSTREAM_ID, given.asked.method])
    expect((read['params'] as JsonObject)['name']).toBe('theirs')
  }
  return made.text !== anewText
}

const requestId = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), text).map((id) => JSON.stringify(id))
const pairs = (of: JsonObject, it: Style): [string, string][] => Object.entries(of).map(([name, each]) => [name, written(each, it)])
const body = fc
  .record({
    it: style,
    id: fc.oneof(requestId, fc.constantFrom('0e5', '1.0', '1e0', '-0')),
    name: text,
    given: fc.oneof(members, fc.dictionary(fc.constantFrom('a', 'b', 'Name', 'ids'), value, { maxKeys: 2 })),
    extra: fc.option(members, { freq: 1 }),
    order: fc.boolean(),
    isLong: fc.constantFrom(true, true, true, false),
  })
  .map(({ it, id, name, given, extra, order, isLong }) => {
    const _meta = { ...extra, ...VERSION }
    const params = pairs({ name, arguments: { ...given, ...(isLong && { filling: FILLING }) }, _meta }, it)
    const whole: [string, string][] = [
      ['jsonrpc', '"2.0"'],
      ['id', id],
      ['method', '"tools/call"'],
      ['params', object(order ? params : params.toReversed(), it)],
    ]
    return object(order ? whole : whole.toReversed(), it)
  })

describe('a request', () => {
  test('[GATEWAY-FAITHFUL] says to the upstream what it would say written anew, however it is spelt', async () => {
    let count = 0
    await fc.assert(
      fc.asyncProperty(body, async (it) => {
        if (await demandFaithful(it)) count += 1
      }),
      { numRuns: 2_000, interruptAfterTimeLimit: 10_000, markInterruptAsFailure: false },
    )
    // Enough of them went the way that this is about.
    expect(count).toBeGreaterThan(50)
  })

  const front = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"mine","arguments":'
  const long = JSON.stringify({ filling: FILLING })
  const back = `,"_meta":${JSON.stringify(VERSION)}`
  test('of the plainest kind is exchanged where it stands', async () => {
    expect(await demandFaithful(`${front}${long}${back}}}`)).toBe(true)
  })
  test.each([
    ['an id with an exponent', `${front.replace('"id":1', '"id":0e1')}${long}${back}}}`],
    ['an id with a fraction', `${front.replace('"id":1', '"id":1.0')}${long}${back}}}`],
    ['a prototype beside its params', `${front}${long}${back}},"__proto__":{"id":2}}`],
    ['a prototype in its params', `${front}${long}${back},"__proto__":{"name":"other"}}}`],
    [
      'reserved metadata that is none of its business',
      `${front}${long},"_meta":${JSON.stringify({ ...VERSION, [`${META}related-task`]: { taskId: 'x' }, [`${META}subscriptionId`]: 1 })}}}`,
    ],
    ['a progress token in other letters', `${front}${long},"_meta":${JSON.stringify({ ...VERSION, ProgressToken: 9 })}}}`],
  ])('with %s says nothing else for it', async (_, it) => {
    await demandFaithful(it)
    expect(parse((await composed(it))?.text ?? '{}').id).toBe(UPSTREAM_ID)
    expect((await composed(it))?.text).not.toMatch(/__proto__|related-task|ProgressToken/)
  })
})

/** The answer as a client gets it, by either way; undefined where the upstream's is refused. */
function answered(bytes: Uint8Array<ArrayBuffer>, isModern: boolean) {
  let digest: ReturnType<typeof digested>
  try {
    digest = digested({ bytes, id: UPSTREAM_ID })
  } catch {
    return undefined
  }
  const { result } = digest.response
  if (!digest.came || !result) return undefined
  return {
    result,
    made: spliced({
      ...digest.came,
      upstreamId: UPSTREAM_ID,
      id: 'own',
      result,
      profile: PROFILE,
      isModern,
    }),
  }
}
function demandFaithfulAnswer(text: string, isModern: boolean): boolean {
  const it = answered(new TextEncoder().encode(text), isModern)
  if (!it?.made) return false
  const made = Buffer.concat(it.made).toString('utf8')
  const { _meta, ...rest } = it.result
  const expected = isModern
    ? { resultType: 'complete', ...rest, _meta: { ...(_meta as object), [`${META}serverInfo`]: serverInfo(PROFILE) } }
    : it.result
  expect(parse(made)).toEqual({ jsonrpc: '2.0', id: 'own', result: expected })
  for (const read of readings(made)) {
    expect(Object.keys(read).sort()).toEqual(['id', 'jsonrpc', 'result'])
    expect(read['id']).toBe('own')
  }
  return true
}

const behind = fc.constantFrom({ name: 'behind', version: '9' }, { name: 'serverInfo', version: '}' })
const result = fc
  .record({
    it: style,
    given: members,
    structured: fc.option(value),
    said: text,
    info: fc.option(behind, { freq: 2 }),
    again: fc.boolean(),
    type: fc.constantFrom(undefined, 'complete'),
    extra: fc.option(members),
  })
  .map(({ it, given, structured, said, info, again, type, extra }) => {
    const { resultType: _, _meta: __, ...others } = given
    const _meta = { ...extra, ...(info && { [`${META}serverInfo`]: info }) }
    const whole: JsonObject = {
      ...others,
      content: [
        { type: 'text', text: FILLING },
        { type: 'text', text: said },
        { type: 'text', text: JSON.stringify(info) },
      ],
    }
    if (structured !== null) whole['structuredContent'] = again && info ? { [`${META}serverInfo`]: info } : structured
    if (type !== undefined) whole['resultType'] = type
    if (Object.keys(_meta).length > 0) whole['_meta'] = _meta
    return written(whole, it)
  })
const ID = String(UPSTREAM_ID)
const envelope = fc.constantFrom<(result: string) => string>(
  (it) => `{"jsonrpc":"2.0","id":${ID},"result":${it}}`,
  (it) => `{"result":${it},"jsonrpc":"2.0","id":${ID}}`,
  (it) => `{"id":${ID},"result":${it},"jsonrpc":"2.0"}`,
)

describe('an answer', () => {
  test('[GATEWAY-FAITHFUL] says to the client what it would say written anew, under its own id', () => {
    let count = 0
    fc.assert(
      fc.property(result, envelope, fc.boolean(), (it, wrap, isModern) => {
        if (demandFaithfulAnswer(wrap(it), isModern)) count += 1
      }),
      { numRuns: 2_000, interruptAfterTimeLimit: 10_000, markInterruptAsFailure: false },
    )
    expect(count).toBeGreaterThan(50)
  })

  const content = `"content":[{"type":"text","text":"${FILLING}"}]`
  const info = `"${META}serverInfo":{"name":"behind"}`
  const ours = `"resultType":"complete","_meta":{${info}}`
  test.each([
    `{"jsonrpc":"2.0","id":${ID},"result":{${content},${ours}}}`,
    `{"result":{${content},${ours}},"jsonrpc":"2.0","id":${ID}}`,
    `{"jsonrpc":"2.0","id":${ID},"result":{"structuredContent":{"result":"of a common library"},${content},${ours}}}`,
  ])('of the plainest kind is exchanged where it stands', (it) => {
    expect(demandFaithfulAnswer(it, true)).toBe(true)
  })
  /** Each would be another message, or another's answer, if it were passed on as it came. */
  test.each([
    `{"jsonrpc":"2.0","id":${ID},"result":{${content}},"id":${ID}}`,
    `{"jsonrpc":"2.0","id":${ID},"result":{${content}},"i\\u0064":${ID}}`,
    `{"jsonrpc":"2.0","id":${ID},"result":{${content}},"x":{}}`,
    `{"jsonrpc":"2.0","id":${ID},"result":{${content}},"method":"ping","params":{}}`,
    `{"jsonrpc":"2.0","id":${ID},"result":{${content}},"id":7,"id":${ID},"result":{${content}}}`,
    `{"jsonrpc":"2.0","id":${ID},"result":{${content}},"id":7,"id":${ID},"\\u0072esult":{${content}}}`,
    `{"jsonrpc":"2.0","id":${ID},"result":{${content}},"id":7,"id":${ID},"__proto__":{}}`,
    `{"jsonrpc":"2.0","id":${ID},"result":{${content}},"id":7,"id":${ID} , \t"result" :{${content}}}`,
    `{"jsonrpc":"2.0","id":${ID},"result":{${content}},"error":{"code":1,"message":"x"}}`,
    `{"result":{${content}},"id":7,"result":{${content}},"jsonrpc":"2.0","id":${ID}}`,
    `{"result":{${content}},"id":7,"r\\u0065sult":{${content}},"jsonrpc":"2.0","id":${ID}}`,
    `{"result":{${content}},"method":"ping","params":{},"jsonrpc":"2.0","id":${ID}}`,
    `{"result":{${content}},"id":7,"__proto__":{},"jsonrpc":"2.0","id":${ID}}`,
    `{"result":{${content}},"ID":7,"error":{},"jsonrpc":"2.0","id":${ID}}`,
    `{"jsonrpc":"2.0","id":${ID},"result":{${content},"structuredContent":{${info}},"resultType":"complete","_meta":{ "${META}serverInfo" : {"name":"behind"}}}}`,
    `{"jsonrpc":"2.0","id":${ID},"result":{${content},"resultType":"complete","_meta":{${info},"io.modelcontextprotocol\\/serverInfo":{"name":"behind"}}}}`,
    `{"jsonrpc":"2.0","id":${ID},"result":{${content},"__proto__":{"a":1},${ours}}}`,
  ])('with more in it than there should be says no more for it (%#)', (it) => {
    for (const isModern of [true, false]) demandFaithfulAnswer(it, isModern)
  })
})
