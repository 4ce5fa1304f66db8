/** A plain call goes a shorter way through the gateway than others: whatever its server does meanwhile, nobody can tell which it was. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { resolve } from 'node:path'
import {
  type App,
  answerOf,
  type GatewayHouse,
  initialize,
  legacy,
  type Message,
  modern,
  openGatewayHouse,
  textIn,
} from '../support/gateway-house.ts'
import { answerText, json, startEchoUpstream } from '../support/echo-upstream.ts'
import { startImpoliteUpstream, WAYS } from '../support/impolite-upstream.ts'

const PROGRAM = resolve(import.meta.dir, '../support/impolite-upstream.ts')
const TRANSPORTS = ['http', 'stdio'] as const
const CLIENTS = ['modern', 'legacy'] as const
type Transport = (typeof TRANSPORTS)[number]
type Client = (typeof CLIENTS)[number]

let house: GatewayHouse
const apps = {} as Record<Transport, App>
const sessions = {} as Record<Transport, Record<string, string>>
const overHttp = startImpoliteUpstream()
beforeAll(async () => {
  house = await openGatewayHouse()
  for (const transport of TRANSPORTS) {
    const server =
      transport === 'http'
        ? { settings: { url: overHttp.url } }
        : { connector: 'stdio' as const, settings: { command: 'javascript', args: [PROGRAM] } }
    const id = await house.connection(house.admin, transport, server)
    apps[transport] = await house.app(house.admin, await house.profile(house.admin, transport, [id], 'never'))
    sessions[transport] = await initialize(apps[transport])
  }
})
afterAll(async () => {
  expect(house.faults).toEqual([])
  await house.close()
  await overHttp.stop()
})

/** Metadata of the app's own makes a call one that is not plain, and changes nothing else. */
const LONG = { _meta: { 'example.com/own': 1 } }

const send = (app: App, client: Client, asked: Record<string, unknown>, session: Record<string, string>) =>
  client === 'modern' ? modern(app, 'tools/call', asked) : legacy(app, 'tools/call', asked, { headers: session })
/** All that shows of one call: its answer, its row with what is kept beside it, and what its server was told. */
async function traces(transport: Transport, client: Client, params: Record<string, unknown>) {
  const { audit } = house.house
  const asking = (asked: Record<string, unknown>) => send(apps[transport], client, asked, sessions[transport])
  const response = await asking(params)
  const { id: _, ...answer } = await answerOf(response)
  await audit.flush()
  const [row] = await audit.list({ kind: 'call', limit: 1 })
  const { action, outcome, reason, subject, toolId, connectionName, requestBytes, responseBytes, upstreamUs, contentHash } = row ?? {}
  const kept = row && (await audit.contentsOf(row.seq))
  const told = textIn((await answerOf(await asking({ name: 'look', arguments: {} }))) as Message)
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    answer,
    row: { action, outcome, reason, subject, toolId, connectionName, hasContents: contentHash !== null },
    // The id of the message to the server is in them, and it has one more digit now and then.
    numbers: [requestBytes, responseBytes, upstreamUs].map((each) => typeof each),
    kept,
    // Of a question behind the answer both are true, and both are -32603.
    told: told.replace('The call that this was about is over.', 'The app did not answer.'),
  }
}

describe.each(TRANSPORTS.flatMap((transport) => CLIENTS.map((client) => [client, transport] as const)))(
  'a %s app of a server of an older revision over %s',
  (client, transport) => {
    test.each(WAYS.flatMap((way) => ['look', 'change'].map((name) => [way, name] as const)))(
      '[GATEWAY-ONE-WAY] that %s: the answer, the row and what the server hears are the same either way (%s)',
      async (way, name) => {
        const params = { name, arguments: { way } }
        const short = await traces(transport, client, params)
        expect(short).toEqual(await traces(transport, client, { ...params, ...LONG }))
      },
    )
  },
)

test.each(CLIENTS)('[GATEWAY-DOUBT] a question between the plain calls of two %s apps is refused, and ends neither', async (client) => {
  const { stdio } = apps
  const other = await house.app(house.admin, stdio.profile)
  const session = await initialize(other)
  for (const more of [{}, LONG]) {
    const waits = send(stdio, client, { name: 'look', arguments: { way: 'takes its time' }, ...more }, sessions.stdio).then(answerOf)
    await Bun.sleep(20)
    const asks = await send(other, client, { name: 'look', arguments: { way: 'asks for folders' }, ...more }, session).then(answerOf)
    expect(textIn(asks)).toContain('It cannot be told which app')
    expect(textIn(await waits)).toBe('here it is')
  }
})

const NEEDS = {
  'a form': { method: 'elicitation/create', params: { message: 'Who?', requestedSchema: { type: 'object', properties: {} } } },
  'the model': { method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } },
  folders: { method: 'roots/list', params: {} },
}
test('[GATEWAY-ONE-WAY] what a server of today needs of an older app that offers nothing is answered for it, or ends the call, either way', async () => {
  const needing = startEchoUpstream('modern', ({ id, params = {} }) => {
    const { needs } = params['arguments'] as { needs: keyof typeof NEEDS }
    const answers = params['inputResponses']
    return json(
      answers
        ? answerText(id, { resultType: 'complete', content: [{ type: 'text', text: JSON.stringify(answers) }] })
        : answerText(id, { resultType: 'input_required', inputRequests: { it: NEEDS[needs] }, requestState: 'here' }),
    )
  })
  const id = await house.connection(house.admin, 'needing', { settings: { url: needing.url } })
  const app = await house.app(house.admin, await house.profile(house.admin, 'needing', [id], 'never'))
  const session = await initialize(app)
  const asked = async (needs: string, more: object) => {
    const { id: _, ...answer } = await send(app, 'legacy', { name: 'echo', arguments: { needs }, ...more }, session).then(answerOf)
    const { audit } = house.house
    await audit.flush()
    const [row] = await audit.list({ kind: 'call', limit: 1 })
    return { answer, outcome: row?.outcome, reason: row?.reason, kept: row && (await audit.contentsOf(row.seq)) }
  }
  await asked('a form', {})
  for (const needs of Object.keys(NEEDS)) expect(await asked(needs, {})).toEqual(await asked(needs, LONG))
  expect((await asked('a form', {})).answer).toMatchObject({ result: { content: [{ text: '{"it":{"action":"cancel"}}' }] } })
  expect((await asked('folders', {})).answer).toMatchObject({ error: { code: -32_601 } })
  await needing.stop()
})
