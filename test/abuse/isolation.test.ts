/** Two people, their apps, one server that all of them share and some of their own: nothing of one ever reaches the other. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { resolve } from 'node:path'
import type { User } from '@/users'
import { answerText, events, startEchoUpstream } from '../support/echo-upstream.ts'
import {
  answerOf,
  type App,
  type GatewayHouse,
  initialize,
  legacy,
  type Message,
  meta,
  modern,
  openGatewayHouse,
  post,
  textIn,
} from '../support/gateway-house.ts'

const CALLS_OF_EACH = 600
const AT_ONCE = 8
const META = 'io.modelcontextprotocol/'
const TASKS = { extensions: { [`${META}tasks`]: {} } }

/** Answers with the word that the call brought, after a while of its own, and with progress before. */
const others = (['modern', 'legacy'] as const).map((era) => ({
  era,
  upstream: startEchoUpstream(
    era,
    async ({ id, params = {} }) => {
      const { mine, waitMs } = params['arguments'] as { mine: string; waitMs: number }
      await Bun.sleep(waitMs)
      const { progressToken } = params['_meta'] as { progressToken?: unknown }
      const progress = JSON.stringify({
        jsonrpc: '2.0',
        method: 'notifications/progress',
        params: { progressToken, progress: 1, message: mine },
      })
      return events(progress, answerText(id, { content: [{ type: 'text', text: mine }] }))
    },
    { tools: ['own', ...Array.from({ length: 505 }, (_, at) => `more_${at}`)] },
  ),
}))

type Client = { name: string; app: App; isModern: boolean; session: Record<string, string> }
let gateway: GatewayHouse
const clients: Client[] = []

beforeAll(async () => {
  gateway = await openGatewayHouse()
  const pipe = await gateway.connection(gateway.admin, 'Pipe', {
    connector: 'stdio',
    settings: { command: 'javascript', args: [resolve(import.meta.dir, '../support/program-pipe.ts')], env: {} },
    visibility: 'open',
  })
  const people: User[] = [gateway.admin, await gateway.user('ben', 'admin')]
  for (const [at, user] of people.entries()) {
    const { era, upstream } = others[at % 2] as (typeof others)[number]
    const own = await gateway.connection(user, `Own`, { settings: { url: upstream.url } })
    const profile = await gateway.profile(user, `All of ${user.username}`, [pipe, own])
    for (const isModern of [true, false]) {
      const app = await gateway.app(user, profile)
      const session = isModern ? {} : await initialize(app, { elicitation: {} })
      if (!isModern) await legacy(app, 'logging/setLevel', { level: 'debug' }, { headers: session })
      clients.push({ name: `${user.username}-${isModern ? 'modern' : 'legacy'}-${era}`, app, isModern, session })
    }
  }
})
afterAll(async () => {
  await gateway.close()
  await Promise.all(others.map(({ upstream }) => upstream.stop()))
})
const clientAt = (at: number) => clients[at] as Client

/** Hears everything that comes while a call goes on, and answers what it is asked in its own name. */
async function* heard(client: Client, answer: Response): AsyncGenerator<Message> {
  if (!answer.headers.get('content-type')?.startsWith('text/event-stream')) {
    yield (await answer.json()) as Message
    return
  }
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of answer.body as ReadableStream<Uint8Array>) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (!line.startsWith('data: {')) continue
      const message = JSON.parse(line.slice(6)) as Message
      yield message
      if (message.method !== 'elicitation/create') continue
      const said = { jsonrpc: '2.0', id: message.id, result: { action: 'accept', content: { by: client.name } } }
      await post(client.app, JSON.stringify(said), { headers: client.session }).then((it) => it.text())
    }
  }
}

type Call = { name: string; arguments: Record<string, unknown>; progressToken?: unknown; signal?: AbortSignal }
/** One call to its end, all rounds of questions included. @returns everything that came */
async function carriedOut(client: Client, { name, arguments: args, progressToken, signal }: Call): Promise<Message[]> {
  const all: Message[] = []
  let round: Record<string, unknown> = {}
  for (;;) {
    const token = progressToken === undefined ? {} : { progressToken }
    const _meta = client.isModern ? meta({ elicitation: {} }, { ...token, [`${META}logLevel`]: 'debug' }) : token
    const params = { name, arguments: args, ...round, _meta }
    const sent = { ...(signal && { signal }), headers: client.session }
    for await (const message of heard(client, await (client.isModern ? modern : legacy)(client.app, 'tools/call', params, sent)))
      all.push(message)
    const { resultType, inputRequests, requestState } = all.at(-1)?.result ?? {}
    if (resultType !== 'input_required') return all
    const inputResponses = Object.fromEntries(
      Object.keys(inputRequests as object).map((key) => [key, { action: 'accept', content: { by: client.name } }]),
    )
    round = { inputResponses, requestState }
  }
}

test('[GATEWAY-APART] of some thousand calls that are mixed on one pipe each hears its own and nothing else', async () => {
  const counts = { progress: 0, asked: 0, refused: 0, remarks: 0, done: 0 }
  const one = async (client: Client, at: number) => {
    const mine = `<${client.name}-${at}>`
    const name = at % 3 === 0 ? 'own__own' : at % 7 === 0 ? 'pipe__ask' : 'pipe__mixed'
    const args = { mine, steps: at % 4, waitMs: (at * 7) % 12 }
    // Tokens and ids are the same for all of them, of whatever type: only who asked tells them apart.
    const progressToken = [at, String(at), 'token', 1][at % 4]
    const all = await carriedOut(client, { name, arguments: args, progressToken })
    for (const message of all) {
      // Nobody else's word is in anything that came.
      const words = JSON.stringify(message).match(/<[a-z-]+-\d+>/g) ?? []
      if (message.method === 'notifications/message') {
        counts.remarks += 1
        // A remark on a shared pipe says of no call; it may be about another of the same app.
        expect(words.filter((word) => !word.startsWith(`<${client.name}-`))).toEqual([])
      } else if (message.method === 'elicitation/create' || message.result?.['resultType'] === 'input_required') {
        counts.asked += 1
        expect(words.filter((word) => !word.startsWith(`<${client.name}-`))).toEqual([])
      } else expect(words.filter((word) => word !== mine)).toEqual([])
      if (message.method === 'notifications/progress') {
        counts.progress += 1
        expect(message.params?.['progressToken']).toEqual(progressToken)
      }
    }
    const said = textIn(all.at(-1) as Message)
    if (name !== 'pipe__ask') expect(said).toBe(mine)
    else {
      expect([`${mine} refused`, `${mine} {"action":"accept","content":{"by":"${client.name}"}}`]).toContain(said)
      if (said.endsWith('refused')) counts.refused += 1
    }
    counts.done += 1
  }
  await Promise.all(
    clients.flatMap((client) =>
      Array.from({ length: AT_ONCE }, async (_, lane) => {
        for (let at = lane; at < CALLS_OF_EACH; at += AT_ONCE) await one(client, at)
      }),
    ),
  )
  expect(counts.done).toBe(clients.length * CALLS_OF_EACH)
  expect(counts.progress).toBeGreaterThan(500)
  // With all of them at work nobody could be asked.
  expect(counts.refused).toBeGreaterThan(50)
  expect(gateway.faults).toEqual([])
}, 60_000)

describe('a question over a pipe that is shared', () => {
  test('[GATEWAY-APART] reaches the only app that is at work, of whatever revision, and its answer the server', async () => {
    for (const client of clients) {
      // What was given up before may still be in the server's mind; each of these tests begins with a quiet pipe.
      const all = await carriedOut(client, { name: 'pipe__ask', arguments: { mine: `<${client.name}-1>` } })
      expect(textIn(all.at(-1) as Message)).toBe(`<${client.name}-1> {"action":"accept","content":{"by":"${client.name}"}}`)
    }
  })
  test('[GATEWAY-DOUBT] is refused while two grants have calls under way, and neither of them is asked', async () => {
    for (const [asking, other] of [
      [0, 3],
      [1, 2],
      [2, 1],
      [3, 0],
    ] as const) {
      const [mine, theirs] = [clientAt(asking), clientAt(other)]
      const before = carriedOut(theirs, { name: 'pipe__mixed', arguments: { mine: '<theirs-1>', waitMs: 120 } })
      await Bun.sleep(30)
      const all = await carriedOut(mine, { name: 'pipe__ask', arguments: { mine: '<mine-1>' } })
      expect(textIn(all.at(-1) as Message)).toBe('<mine-1> refused')
      for (const message of [...all, ...(await before)]) {
        expect(message.method).not.toBe('elicitation/create')
        expect(message.result?.['resultType']).not.toBe('input_required')
      }
    }
  })
})

describe('what was given to one grant', () => {
  const [ada, ben] = [() => clientAt(0), () => clientAt(2)]
  const codeAt = async (client: Client, method: string, params: Record<string, unknown>) => {
    const { error } = await answerOf(await modern(client.app, method, { ...params, _meta: meta({ elicitation: {}, ...TASKS }) }))
    return error?.code
  }
  test('[GATEWAY-OWN-MARKS] a state', async () => {
    const call = { name: 'pipe__ask', arguments: { mine: '<state-1>' } }
    const first = await answerOf(await modern(ada().app, 'tools/call', { ...call, _meta: meta({ elicitation: {} }) }))
    const round = { requestState: first.result?.['requestState'], inputResponses: { q1: { action: 'accept', content: { by: 'ada' } } } }
    expect(first.result?.['resultType']).toBe('input_required')
    for (const other of [ben(), clientAt(1)]) expect(await codeAt(other, 'tools/call', { ...call, ...round })).toBe(-32602)
    expect(await codeAt(ada(), 'tools/call', { ...call, arguments: { mine: '<other-1>' }, ...round })).toBe(-32602)
    const last = await answerOf(await modern(ada().app, 'tools/call', { ...call, ...round, _meta: meta({ elicitation: {} }) }))
    expect(textIn(last)).toContain('"by":"ada"')
    expect(await codeAt(ada(), 'tools/call', { ...call, ...round })).toBe(-32602)
  })
  test('[GATEWAY-OWN-MARKS] a cursor', async () => {
    const { result } = await answerOf(await modern(ada().app, 'tools/list'))
    const cursor = result?.['nextCursor']
    expect(typeof cursor).toBe('string')
    expect(await codeAt(ada(), 'tools/list', { cursor })).toBeUndefined()
    expect(await codeAt(ada(), 'prompts/list', { cursor })).toBe(-32602)
    for (const other of [ben(), clientAt(1)]) expect(await codeAt(other, 'tools/list', { cursor })).toBe(-32602)
  })
  test('[GATEWAY-OWN-MARKS] a task, also by the id that the server gave it, in whatever letters', async () => {
    const call = { name: 'pipe__task', arguments: { mine: '<ada-task-1>' }, task: {} }
    const begun = await answerOf(await legacy(clientAt(1).app, 'tools/call', call, { headers: clientAt(1).session }))
    const { taskId } = (begun.result?.['task'] ?? {}) as { taskId?: string }
    const ask = async ({ app, session }: Client, params: Record<string, unknown>) =>
      answerOf(await legacy(app, 'tasks/get', params, { headers: session }))
    expect((await ask(clientAt(1), { taskId })).result).toMatchObject({ taskId, statusMessage: '<ada-task-1>' })
    const theirs = await answerOf(
      await legacy(clientAt(3).app, 'tools/call', { ...call, arguments: { mine: '<ben-task-1>' } }, { headers: clientAt(3).session }),
    )
    const own = ((theirs.result?.['task'] ?? {}) as { taskId?: string }).taskId
    for (const params of [{ taskId }, { taskId: 'task-0' }, { taskId: 0 }, { taskId: [taskId] }, { taskId: { toString: taskId } }])
      expect((await ask(clientAt(3), params)).error?.code).toBe(-32602)
    for (const key of ['TaskId', 'taskid', 'ta\u017fkId', 'tas\u212aId'])
      expect((await ask(clientAt(3), { [key]: 'task-0', taskId: own })).result).toMatchObject({
        taskId: own,
        statusMessage: '<ben-task-1>',
      })
  })
  test('[GATEWAY-OWN-MARKS] a session, and what was said on its streams', async () => {
    const { app, session } = clientAt(1)
    const streamed = await legacy(
      app,
      'tools/call',
      { name: 'own__own', arguments: { mine: '<kept-1>', waitMs: 1 }, _meta: { progressToken: 1 } },
      { headers: session },
    )
    const [, event = ''] = /^id: (.+)-\d+$/m.exec(await streamed.text()) ?? []
    expect(event).not.toBe('')
    for (const { app: other, session: theirs } of [clientAt(3), clientAt(0)]) {
      const headers = { accept: 'text/event-stream', authorization: `Bearer ${other.token}` }
      expect((await legacy(other, 'tools/list', {}, { headers: session })).status).toBe(404)
      expect((await fetch(other.url, { headers: { ...headers, ...session } })).status).toBe(404)
      expect((await fetch(other.url, { method: 'DELETE', headers: { ...headers, ...session } })).status).toBe(404)
      const ending = new AbortController()
      const again = await fetch(other.url, { headers: { ...headers, ...theirs, 'last-event-id': `${event}-0` }, signal: ending.signal })
      let text = ''
      void (async () => {
        for await (const chunk of again.body as ReadableStream<Uint8Array>) text += new TextDecoder().decode(chunk)
      })().catch(() => undefined)
      await Bun.sleep(60)
      ending.abort()
      expect(text).not.toContain('<kept-1>')
    }
    const own = await fetch(app.url, {
      headers: { accept: 'text/event-stream', authorization: `Bearer ${app.token}`, ...session, 'last-event-id': `${event}-0` },
    })
    expect(await own.text()).toContain('<kept-1>')
  })
})

/** Last, since it leaves doubt behind for a while. */
test('[GATEWAY-DOUBT] a question of a call that was given up is not put to whoever calls next', async () => {
  const [ada, ben] = [clientAt(1), clientAt(3)]
  const id = 4711
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name: 'pipe__hold', arguments: { mine: '<given-up-1>' } },
  })
  const held = post(ada.app, body, { headers: ada.session }).then((answer) => answer.text())
  await Bun.sleep(40)
  await post(ada.app, JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } }), {
    headers: ada.session,
  })
  const all = await carriedOut(ben, { name: 'pipe__mixed', arguments: { mine: '<ben-9>', waitMs: 150 } })
  expect(textIn(all.at(-1) as Message)).toBe('<ben-9>')
  expect(JSON.stringify(all)).not.toContain('given-up')
  // Whoever gave it up is not left waiting either, and is told nothing that could be taken for an answer.
  expect(await held).not.toContain('"result"')
})
