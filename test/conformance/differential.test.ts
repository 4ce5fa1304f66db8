/** The same requests to an upstream directly and through the gateway: whatever they and their answers are made of, the results are the same. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Era, type EchoUpstream, events, json, startEchoUpstream } from '../support/echo-upstream.ts'
import {
  answerOf,
  type App,
  type GatewayHouse,
  initialize,
  type Message,
  meta,
  modernHeaders,
  openGatewayHouse,
  post,
} from '../support/gateway-house.ts'
import { filling, type Json, members, object, type Style, style, text, value, written } from '../support/odd-json.ts'

const META = 'io.modelcontextprotocol/'
const ERAS: readonly Era[] = ['modern', 'legacy']
const TOOL = 'echo'

/** What the upstream says, as the text of the members of its answer, and how it wraps them. */
type Answer = { said: [string, string]; wrap: 'front' | 'back' | 'other' | 'more'; it: Style; isStream: boolean }
type Case = {
  answer: Answer
  args: Record<string, Json>
  extra: Record<string, Json>
  id: string | number
  it: Style
  isReversed: boolean
  isNamed: boolean
  isAskable: boolean
}

const answers = new Map<string, Answer>()
/** What the upstream was asked, by case. */
const heard = new Map<string, { method: string | undefined; params: Record<string, unknown> }[]>()
const wrapped = ({ said, wrap, it }: Answer, id: string | number): string => {
  const version: [string, string] = ['jsonrpc', '"2.0"']
  const own: [string, string] = ['id', JSON.stringify(id)]
  if (wrap === 'front') return object([version, own, said], it)
  if (wrap === 'back') return object([said, version, own], it)
  return object([own, version, ...(wrap === 'more' ? [['more', '{"id":1}'] as const] : []), said], it)
}
/** The case is told by an argument of its own. */
const upstreams = Object.fromEntries(
  ERAS.map((era) => [
    era,
    startEchoUpstream(era, ({ id, method, params = {} }) => {
      const { $case } = params['arguments'] as { $case: string }
      heard.get($case)?.push({ method, params })
      const answer = answers.get($case)
      if (!answer) return new Response('no such case', { status: 500 })
      const whole = wrapped(answer, id)
      return answer.isStream ? events(whole.replace(/\n\t/g, ' ')) : json(whole)
    }),
  ]),
) as Record<Era, EchoUpstream>

const error = fc
  .record({
    code: fc.constantFrom(-32000, -32002, -32007, -32042, -32050, -32602, -32603, -1, 0, 7),
    message: text,
    data: fc.option(value, { nil: undefined }),
  })
  .map((it): [string, object] => ['error', it])
/** What has a meaning of its own to the gateway, rounds and tasks, has tests of its own. */
const MEANT = ['task', 'resultType', '_meta', 'structuredContent', 'content']
const result = fc
  .record({
    extra: members,
    content: fc.array(text, { maxLength: 3 }),
    filling,
    structured: fc.option(value, { nil: undefined }),
    isError: fc.option(fc.boolean(), { nil: undefined }),
    type: fc.constantFrom(undefined, 'complete'),
    about: fc.option(members, { nil: undefined }),
    info: fc.constantFrom(undefined, { name: 'behind', version: '9' }),
  })
  .map(({ extra, content, filling: more, structured, isError, type, about, info }): [string, object] => {
    const others = Object.entries(extra).filter(([name]) => !MEANT.includes(name))
    const mine = about || info ? { _meta: { ...about, ...(info && { [`${META}serverInfo`]: info }) } } : {}
    const said = {
      content: [...content, more, JSON.stringify(info)].map((each) => ({ type: 'text', text: each })),
      structuredContent: structured,
      isError,
      resultType: type,
      ...mine,
      ...Object.fromEntries(others),
    }
    return ['result', JSON.parse(JSON.stringify(said))]
  })
const answer: fc.Arbitrary<Answer> = fc
  .record({
    said: fc.oneof({ weight: 5, arbitrary: result }, { weight: 1, arbitrary: error }),
    it: style,
    wrap: fc.constantFrom('front', 'front', 'back', 'back', 'other', 'more'),
    isStream: fc.constantFrom(false, false, true),
  })
  .map(({ said: [field, is], it, wrap, isStream }) => ({ said: [field, written(is, it)], it, wrap: wrap as Answer['wrap'], isStream }))
const one: fc.Arbitrary<Case> = fc.record({
  answer,
  args: fc
    .tuple(members, filling, fc.boolean())
    .map(([given, more, isPlain]) => ({ ...(isPlain ? {} : given), ...(more !== '' && { filling: more }) })),
  extra: members,
  id: fc.oneof(fc.integer(), text),
  it: style,
  isReversed: fc.boolean(),
  isNamed: fc.boolean(),
  isAskable: fc.constantFrom(false, false, false, true),
})

let lastCase = 0
function bodyOf(era: Era, key: string, { args, extra, id, it, isReversed, isNamed, isAskable }: Case): string {
  const reserved =
    era === 'modern'
      ? meta(isAskable ? { elicitation: {} } : {}, isNamed ? { [`${META}clientInfo`]: { name: 'app', version: '1' } } : {})
      : {}
  const params = [
    ['name', written(TOOL, it)],
    ['arguments', written({ ...args, $case: key }, it)],
    ['_meta', written({ ...extra, ...reserved }, it)],
  ] as const
  const whole = [
    ['jsonrpc', '"2.0"'],
    ['id', written(id, it)],
    ['method', written('tools/call', it)],
    ['params', object(isReversed ? params.toReversed() : params, it)],
  ] as const
  return object(isReversed ? whole.toReversed() : whole, it)
}

/** What an answer of the upstream means to a client of this era, said here once more on purpose. */
function meant(era: Era, { result: given, error: problem }: Message) {
  if (problem) {
    const { code } = problem
    const codes: Record<number, number> = era === 'modern' ? { [-32002]: -32602, [-32042]: -32603 } : {}
    return { error: { ...problem, code: codes[code] ?? code } }
  }
  const { resultType, ttlMs, cacheScope, _meta, structuredContent, ...rest } = given ?? {}
  const kept = Object.entries((_meta ?? {}) as object).filter(([name]) =>
    era === 'modern' ? name !== `${META}serverInfo` : !name.startsWith(META),
  )
  const isObject = typeof structuredContent === 'object' && structuredContent !== null && !Array.isArray(structuredContent)
  return {
    result: {
      ...rest,
      _meta: Object.fromEntries(kept),
      ...(structuredContent !== undefined && (era === 'modern' || isObject) && { structuredContent }),
      ...(era === 'modern' && { ttlMs, cacheScope }),
    },
  }
}

let house: GatewayHouse
const apps = {} as Record<Era, App>
const sessions = {} as Record<Era, Record<string, string>>
beforeAll(async () => {
  house = await openGatewayHouse()
  for (const era of ERAS) {
    const id = await house.connection(house.admin, era, { settings: { url: upstreams[era].url } })
    apps[era] = await house.app(house.admin, await house.profile(house.admin, era, [id], 'never'))
    sessions[era] = await initialize(apps[era])
  }
})
afterAll(async () => {
  await house.close()
  await Promise.all(ERAS.map((era) => upstreams[era].stop()))
})

/** One case there and here. */
async function compare(client: Era, upstream: Era, it: Case): Promise<void> {
  lastCase += 1
  const key = String(lastCase)
  answers.set(key, it.answer)
  heard.set(key, [])
  const body = bodyOf(client, key, it)
  const headers = client === 'modern' ? modernHeaders('tools/call', TOOL) : sessions[upstream]
  const [direct, through] = await Promise.all([
    fetch(upstreams[upstream].url, { method: 'POST', body }),
    post(apps[upstream], body, { headers }),
  ])
  expect(through.status).toBe(200)
  const [there, here] = [await answerOf(direct), await answerOf(through)]
  expect(here.id).toEqual(JSON.parse(body).id)
  expect(new Set(Object.keys(here))).toEqual(new Set(['id', 'jsonrpc', here.error ? 'error' : 'result']))
  expect(meant(client, here)).toEqual(meant(client, there))
  if (client === 'modern' && here.result) {
    expect(here.result['resultType']).toBe('complete')
    expect((here.result['_meta'] as Record<string, { name: string }>)[`${META}serverInfo`]?.name).toBe(`toolpass-${upstream}`)
  }
  // What the upstream was asked: the same, but that it is not told what is between the client and us.
  const asked = heard.get(key) ?? []
  expect(asked).toHaveLength(2)
  const own = (given: unknown) =>
    Object.entries((given ?? {}) as object).filter(([name]) => !name.startsWith(META) && !/^progressToken$/i.test(name))
  const [first, second] = asked.map(({ method, params: { _meta, ...params } }) => ({
    method,
    params,
    _meta: Object.fromEntries(own(_meta)),
  }))
  expect(second).toEqual(first)
  answers.delete(key)
  heard.delete(key)
}

const PAIRS = ERAS.flatMap((client) => ERAS.map((upstream) => [client, upstream] as const))
describe.each(PAIRS)('a %s client of a %s upstream', (client, upstream) => {
  test('[GATEWAY-FAITHFUL] has the results that it has without us', async () => {
    let count = 0
    await fc.assert(
      fc.asyncProperty(fc.array(one, { minLength: 1, maxLength: 6 }), async (sequence) => {
        await Promise.all(sequence.map((it) => compare(client, upstream, it)))
        count += sequence.length
      }),
      { numRuns: 600, interruptAfterTimeLimit: 3_500, markInterruptAsFailure: false },
    )
    expect(count).toBeGreaterThan(100)
    expect(house.faults).toEqual([])
  }, 30_000)
})
