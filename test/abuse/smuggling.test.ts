/** One tool in the body that is judged, another in the one that is carried out: ABUSE row 17, in every spelling of JSON. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type EchoUpstream, type Era, answerText, json, startEchoUpstream } from '../support/echo-upstream.ts'
import { type App, type GatewayHouse, initialize, meta, modernHeaders, openGatewayHouse, post } from '../support/gateway-house.ts'
import { readings } from '../support/json-readings.ts'

const GRANTED = 'granted'
const HIDDEN = 'hidden'
const ERAS: readonly Era[] = ['modern', 'legacy']
/** What their owner wrote in place of whatever an app says. */
const FIXED = { account: 'ours' }

const upstreams = Object.fromEntries(
  ERAS.map((era) => [
    era,
    startEchoUpstream(era, ({ id }) => json(answerText(id, { content: [] })), { tools: [GRANTED, HIDDEN, 'adjusted'] }),
  ]),
) as Record<Era, EchoUpstream>
let house: GatewayHouse
const apps = {} as Record<Era, App>
let session: Record<Era, Record<string, string>>

beforeAll(async () => {
  house = await openGatewayHouse()
  session = {} as typeof session
  for (const era of ERAS) {
    const id = await house.connection(house.admin, era, { settings: { url: upstreams[era].url } })
    const profile = await house.profile(house.admin, era, [id], 'never')
    const tools = await house.house.connections.tools([id])
    const [granted, , adjusted] = [GRANTED, HIDDEN, 'adjusted'].map((name) => tools.find((tool) => tool.name === name))
    const app = await house.app(house.admin, profile)
    for (const tool of tools)
      if (tool !== granted && tool !== adjusted) await house.house.grants.permit(house.admin, app.grantId, tool.id, 'refuse')
    if (adjusted)
      await house.house.profiles.adjustTool(house.admin, profile.id, adjusted.id, { override: { fixed: FIXED }, isPinned: false })
    apps[era] = app
    session[era] = await initialize(app)
  }
})
afterAll(async () => {
  await house.close()
  await Promise.all(ERAS.map((era) => upstreams[era].stop()))
})

const M = JSON.stringify(meta())
/** `LONG` makes it long enough to be passed on as it came; `META` is what a modern client has to say. */
const BODIES: readonly (readonly [string, string])[] = [
  [
    'name twice, the good one last',
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${HIDDEN}","arguments":{LONG},"name":"${GRANTED}"META}}`,
  ],
  [
    'name twice, the good one first',
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${GRANTED}","arguments":{LONG},"name":"${HIDDEN}"META}}`,
  ],
  [
    'name in escapes, last',
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${GRANTED}","arguments":{LONG},"n\\u0061me":"${HIDDEN}"META}}`,
  ],
  [
    'name in escapes, first',
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"\\u006eame":"${HIDDEN}","name":"${GRANTED}","arguments":{LONG}META}}`,
  ],
  [
    'Name beside it, before',
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"Name":"${HIDDEN}","name":"${GRANTED}","arguments":{LONG}META}}`,
  ],
  [
    'NAME beside it, after',
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${GRANTED}","arguments":{LONG},"NAME":"${HIDDEN}"META}}`,
  ],
  [
    'params twice',
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${HIDDEN}","arguments":{LONG}META},"params":{"name":"${GRANTED}","arguments":{}META}}`,
  ],
  [
    'params twice, the good one first',
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${GRANTED}","arguments":{LONG}META},"params":{"name":"${HIDDEN}"META}}`,
  ],
  [
    'Params beside them',
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${GRANTED}","arguments":{LONG}META},"Params":{"name":"${HIDDEN}"}}`,
  ],
  [
    'params in place of the id',
    `{"jsonrpc":"2.0","method":"tools/call","params":{"name":"${GRANTED}","arguments":{LONG}META},"PARAMS":{"name":"${HIDDEN}"},"id":1}`,
  ],
  [
    'params in escapes',
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${GRANTED}","arguments":{LONG}META},"par\\u0061ms":{"name":"${HIDDEN}"META}}`,
  ],
  [
    'method twice',
    `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"name":"${GRANTED}","uri":"x://secret","arguments":{LONG}META},"method":"tools/call"}`,
  ],
  [
    'Method beside it',
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","Method":"tools/list","params":{"name":"${GRANTED}","arguments":{LONG}META}}`,
  ],
  ['id twice', `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${GRANTED}","arguments":{LONG}META},"id":2}`],
  [
    'an id that is another number',
    `{"jsonrpc":"2.0","id":0e3,"method":"tools/call","params":{"name":"${GRANTED}","arguments":{LONG}META}}`,
  ],
  [
    'a name nested before',
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":{LONG,"name":"${HIDDEN}","params":{"name":"${HIDDEN}"}},"name":"${GRANTED}"META}}`,
  ],
  [
    'a name in the metadata',
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{"name":"${HIDDEN}","id":3,"X":${M}},"arguments":{LONG},"name":"${GRANTED}"META}}`,
  ],
  [
    'a message in a text',
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":{LONG,"said":"\\"name\\":\\"${HIDDEN}\\",\\"id\\":9"},"name":"${GRANTED}"META}}`,
  ],
  [
    'a prototype',
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","__proto__":{"method":"tools/list"},"params":{"__proto__":{"name":"${HIDDEN}"},"name":"${GRANTED}","arguments":{LONG}META}}`,
  ],
  [
    'a prototype in escapes',
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"\\u005f_proto__":{"name":"${HIDDEN}"},"name":"${GRANTED}","arguments":{LONG}META}}`,
  ],
  ['a name that is a list', `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":["${HIDDEN}"],"arguments":{LONG}META}}`],
  [
    'a name that says its own text',
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":{"toString":"${GRANTED}"},"arguments":{LONG}META}}`,
  ],
]
const SIZES = [
  ['short', ''],
  ['long', 'x'.repeat(17_000)],
] as const
const ROWS = ERAS.flatMap((client) =>
  ERAS.flatMap((upstream) =>
    SIZES.flatMap(([size, filling]) => BODIES.map(([what, body]) => ({ client, upstream, size, what, body, filling }))),
  ),
)
let reached = 0
const clear = () => {
  for (const era of ERAS) upstreams[era].calls.length = 0
}
async function send(client: Era, upstream: Era, body: string, name = GRANTED): Promise<Response> {
  clear()
  return post(apps[upstream], body, { headers: client === 'modern' ? modernHeaders('tools/call', name) : session[upstream] })
}

test.each(ROWS)(
  '[ABUSE-17, GATEWAY-ONE-READING] $client client, $upstream upstream, a $size body with $what',
  async ({ client, upstream, body, filling }) => {
    const whole = body.replaceAll('LONG', `"filling":"${filling}"`).replaceAll('META', client === 'modern' ? `,"_meta":${M}` : '')
    const answer = await send(client, upstream, whole)
    expect(answer.status).toBeLessThan(500)
    await answer.text()
    reached += upstreams[upstream].calls.length
    for (const call of upstreams[upstream].calls)
      for (const read of readings(call)) {
        const params = read['params'] as Record<string, unknown>
        expect([read['method'], params['name']]).toEqual(['tools/call', GRANTED])
        expect(Object.keys(read).sort()).toEqual(['id', 'jsonrpc', 'method', 'params'])
        for (const each of [read, params]) expect(Object.hasOwn(each, '__proto__')).toBe(false)
      }
    // A name that is none, or not granted, reaches nobody.
    if (/"name":(\[|\{"toString)/.test(body) || /"name":"granted".*"(name|n\\u0061me)":"hidden"META}}/.test(body))
      expect(upstreams[upstream].calls).toEqual([])
    expect(house.faults).toEqual([])
  },
)

test('those that mean the tool that is granted were not simply all refused', () => {
  expect(reached).toBeGreaterThan(ROWS.length / 2)
})

/** A Go server takes each of these for `arguments`. */
test.each(['Arguments', 'ARGUMENTS', 'argument\u017f', '\u0041rgument\u017f'])(
  '[GATEWAY-ONE-READING] arguments that are fixed stay so beside %s',
  async (key) => {
    for (const upstream of ERAS)
      for (const order of [0, 1]) {
        const fields = [`"arguments":{"account":"mine"}`, `${JSON.stringify(key)}:{"account":"theirs"}`]
        const params = `{"name":"adjusted",${(order ? fields : fields.toReversed()).join(',')},"_meta":${M}}`
        const answer = await send('modern', upstream, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`, 'adjusted')
        expect(await answer.text()).toContain('"result"')
        for (const read of readings(upstreams[upstream].calls[0] ?? ''))
          expect((read['params'] as { arguments: object }).arguments).toEqual(FIXED)
        expect(upstreams[upstream].calls[0]).not.toContain('theirs')
      }
  },
)
