/** ABUSE rows 48 and 49: upstreams that misbehave, behind a running Toolpass, seen from an app that uses it. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createSession } from '@/connections/session.ts'
import { valuesOf } from '../../bench/person.ts'
import { openHouse as openChannels } from '../support/channels.ts'
import { addHttpConnection, callMcp, connectApp, makeProfile, type Person, readMcp, signedIn } from '../support/journey.ts'
import { BEHAVIOUR_NAMES, HTTP_ONLY_NAMES, IMPOSTORS, SILENT, startRogueUpstream } from '../support/rogue-upstream.ts'
import { eventually } from '../support/outside.ts'
import { type Running, setUp, startToolpass } from '../support/running.ts'
import { startModernUpstream } from '../support/upstreams.ts'

const PROGRAM = resolve(import.meta.dir, '../support/rogue-upstream.ts')
/** What an honest call may take while others misbehave, on a machine that does other things as well. */
const HONEST_MS_MAX = 3_000
const CALL_MS_MAX = 10_000
/** What the process may grow by. One message of an upstream may have 16 MB, and several were read at once. */
const MEMORY_MB_MAX = 600

let running: Running
let ada: Person
let token: string
let names: string[]
const honest = startModernUpstream()
const rogue = startRogueUpstream({ elsewhere: honest.url })
const HEADER = 'a credential of the rogue server alone'

const memoryMb = (field: 'VmRSS' | 'VmHWM') =>
  Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${running.pid}/status`, 'utf8'))?.[1]) / 1024)

async function addConnection(connector: string, name: string, settings: Record<string, string>) {
  const filled = Object.fromEntries(Object.entries(settings).map(([key, value]) => [`settings.${key}`, value]))
  return ada.submit(await ada.open(`/connections/new?connector=${connector}`), '/connections', { name, ...filled })
}

const call = async (name: string, init: { signal?: AbortSignal; arguments?: object } = {}) => {
  const answer = await fetch(`${running.url}/mcp/work`, {
    method: 'POST',
    signal: init.signal ?? null,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: init.arguments ?? {} } }),
  })
  return readMcp(answer)
}
const textOf = (answer: Awaited<ReturnType<typeof call>>) =>
  (answer.result?.['content'] as { text: string }[] | undefined)?.[0]?.text ?? answer.error?.message ?? ''
const toolOf = (connection: string, tool: string) => {
  const found = names.find((name) => name.startsWith(`${connection}__`) && name.endsWith(tool))
  if (!found) throw new Error(`no tool ${tool} of ${connection} among ${names.join(' ')}`)
  return found
}

/** Calls the honest server all the time while `work` goes on; how long the slowest call took. */
async function meanwhile<T>(work: Promise<T>): Promise<{ result: T; slowestMs: number; calls: number }> {
  let isDone = false
  let slowestMs = 0
  let calls = 0
  const done = work.finally(() => {
    isDone = true
  })
  done.catch(() => undefined)
  while (!isDone) {
    const startedMs = performance.now()
    expect(textOf(await call('echo', { arguments: { message: 'still here' } }))).toBe('still here')
    slowestMs = Math.max(slowestMs, performance.now() - startedMs)
    calls += 1
    await Bun.sleep(20)
  }
  return { result: await done, slowestMs, calls }
}

const HTTP = [...BEHAVIOUR_NAMES, ...HTTP_ONLY_NAMES]
/** On a pipe that is shared, what answers nobody is no answer, and a line that is no message is a program's chatter. */
const TRANSPORTS = [
  {
    transport: 'http',
    connector: 'streamable-http',
    behaviours: HTTP,
    endless: SILENT,
    settings: (name: string) => ({ url: rogue.url(name), headers: `Authorization=${HEADER}` }),
  },
  {
    transport: 'sse',
    connector: 'sse',
    behaviours: BEHAVIOUR_NAMES,
    endless: [...SILENT, 'strangers'],
    settings: (name: string) => ({ url: rogue.sse(name) }),
  },
  {
    transport: 'stdio',
    connector: 'stdio',
    behaviours: BEHAVIOUR_NAMES,
    endless: [...SILENT, 'strangers', 'junk', 'other', 'half'],
    settings: (name: string) => ({ command: 'javascript', args: `${PROGRAM}\n${name}` }),
  },
]

beforeAll(async () => {
  running = await startToolpass()
  await setUp(running)
  ada = await signedIn(running)
  await addHttpConnection(ada, 'honest', honest.url)
  let count = 4
  for (const { transport, connector, behaviours, settings } of TRANSPORTS)
    for (const name of behaviours) {
      await addConnection(connector, `${transport} ${name}`, settings(name))
      count += 2
    }
  await makeProfile(ada, 'Work', count)
  token = (await connectApp(running, ada, { profile: 'work' })).access_token
  const listed = await readMcp(await callMcp(running, 'work', token, 'tools/list'))
  names = ((listed.result?.['tools'] ?? []) as { name: string }[]).map(({ name }) => name)
}, 20_000)
afterAll(async () => {
  await running.stop()
  await honest.stop()
  await rogue.stop()
  running.remove()
})

/** A call that has no end of its own is ended by its client, as people do. Never by us before ten minutes: tools may take long. */
const PATIENCE_MS = 1_000
const endedByClient = (error: unknown) => expect((error as Error).name).toBe('TimeoutError')

test.each(TRANSPORTS)(
  '[ABUSE-48] over $transport each misbehaviour costs its own call alone',
  async ({ transport, behaviours, endless }) => {
    const one = async (name: string) => {
      const tool = toolOf(`${transport}-${name}`, 'go')
      const init = { signal: AbortSignal.timeout(endless.includes(name) ? PATIENCE_MS : CALL_MS_MAX) }
      if (endless.includes(name)) return call(tool, init).then((answer) => expect([name, answer]).toBe('nothing' as never), endedByClient)
      const answer = await call(tool, init)
      if (name === 'twice') return expect(textOf(answer)).toBe('first')
      expect({ name, isError: answer.result?.['isError'], text: textOf(answer) }).toEqual({
        ...{ name, isError: true },
        text: expect.stringMatching(/^The connected server .+\.$/) as unknown as string,
      })
    }
    const { slowestMs, calls } = await meanwhile(Promise.all(behaviours.map(one)))
    expect(calls).toBeGreaterThan(3)
    expect(slowestMs).toBeLessThan(HONEST_MS_MAX)
    expect(memoryMb('VmHWM')).toBeLessThan(MEMORY_MB_MAX)
  },
)

test("[ABUSE-46] a server that redirects elsewhere carries neither its credential nor the app's token there", () => {
  expect(rogue.seen.filter(({ path }) => path.startsWith('/redirect/')).map(({ authorization }) => authorization)).toContain(HEADER)
  expect(JSON.stringify([honest.seen, rogue.seen])).not.toContain(token)
  expect(JSON.stringify(honest.seen)).not.toContain(HEADER)
})

test('[ABUSE-48] after its misbehaviour a server on the web is used again as if nothing had been', async () => {
  for (const name of HTTP) expect([name, textOf(await call(toolOf(`http-${name}`, 'fine')))]).toEqual([name, 'fine'])
})

test.each([
  ['many', 1_000],
  ['fat', 1],
  ['pages', 50],
  ['same-page', 1],
] as const)('[ABUSE-48] a list of tools that is too much (%s) is cut at %d', async (listing, count) => {
  const settled = Promise.all(
    ['http', 'stdio'].map(async (transport) => {
      const settings = TRANSPORTS.find((each) => each.transport === transport)!.settings(listing)
      const page = new URL(
        (await addConnection(transport === 'http' ? 'streamable-http' : transport, `${transport} ${listing}`, settings)).url,
      )
      const said = async () => /It offers (\S+) tools?\./.exec((await ada.open(`${page.pathname}/probe`)).html)?.[1]
      expect(await eventually(async () => (await said()) !== undefined, PATIENCE_MS * 10)).toBe(true)
      expect(await said()).toBe(count === 1 ? 'one' : String(count))
    }),
  )
  const { slowestMs } = await meanwhile(settled)
  expect(slowestMs).toBeLessThan(HONEST_MS_MAX)
  expect(memoryMb('VmHWM')).toBeLessThan(MEMORY_MB_MAX)
})

test.each(['http', 'stdio'])(
  '[ABUSE-48] over %s nobody waits for ever: the limit on time ends what has no end of its own',
  async (transport) => {
    const house = openChannels()
    const settings = (name: string): Record<string, string | string[]> =>
      transport === 'http' ? { url: rogue.url(name) } : { command: 'javascript', args: [PROGRAM, name] }
    for (const name of SILENT) {
      const { channel } = await house.open(transport === 'http' ? 'streamable-http' : transport, settings(name))
      const session = createSession(channel, () => undefined)
      const startedMs = performance.now()
      const asked = session.request('tools/call', { name: 'go' }, { signal: new AbortController().signal, timeoutMs: 300 })
      expect(
        await asked.then(
          () => 'answered',
          (error) => error.code,
        ),
      ).toBe('upstream_timeout')
      expect(performance.now() - startedMs).toBeLessThan(HONEST_MS_MAX)
      await channel.close()
    }
    await house.close()
  },
)

test('[ABUSE-48] calls that hang are counted for their server, and one too many is told so at once', async () => {
  const stop = new AbortController()
  const hanging = Array.from({ length: 270 }, () => call(toolOf('http-silent', 'go'), { signal: stop.signal }).then(textOf, () => 'hung'))
  const busy = await Promise.race([
    Promise.all(hanging.map((one) => one.then((said) => said.startsWith('Too many calls') || Promise.reject(said)))).catch(() => 'hung'),
    Promise.any(hanging.map((one) => one.then((said) => (said.startsWith('Too many calls') ? said : Promise.reject(said))))),
  ])
  expect(busy).toBe('Too many calls are waiting for the connected server.')
  expect(textOf(await call('echo', { arguments: { message: 'not me' } }))).toBe('not me')
  stop.abort()
  const said = await Promise.all(hanging)
  expect(said.filter((each) => each === 'hung')).toHaveLength(240)
})

test.each([
  ['before', ['impostors', 'honest']],
  ['after', ['honest', 'impostors']],
] as const)(
  '[ABUSE-49] tools that came %s another to be taken for it have a name of their own, and each call reaches what was granted',
  async (_when, order) => {
    const other = await startToolpass()
    await setUp(other)
    const bea = await signedIn(other)
    const urls = { honest: honest.url, impostors: rogue.url('impostors') }
    const tools = { honest: 4, impostors: IMPOSTORS.length }
    const [first, second] = order
    await addHttpConnection(bea, first, urls[first])
    const page = await makeProfile(bea, 'Names', tools[first])
    const listed = async (access: string) => {
      const { result } = await readMcp(await callMcp(other, 'names', access, 'tools/list'))
      return ((result?.['tools'] ?? []) as { name: string }[]).map(({ name }) => name)
    }
    const early = await listed((await connectApp(other, bea, { profile: 'names' })).access_token)
    await addHttpConnection(bea, second, urls[second])
    const offered = async () => valuesOf((await bea.open(page)).html, 'tool_id')
    expect(await eventually(async () => (await offered()).length === 4 + IMPOSTORS.length)).toBe(true)
    await bea.submit(await bea.open(page), `${page}/tools`, { tool_id: await offered() })

    const all = await connectApp(other, bea, { profile: 'names' })
    const late = await listed(all.access_token)
    expect(late).toHaveLength(4 + IMPOSTORS.length)
    expect(new Set(late.map((name) => name.toLowerCase())).size + (late.includes('Echo') ? 1 : 0)).toBe(late.length)
    expect(late.filter((name) => !/^[A-Za-z0-9_-]{1,64}$/.test(name))).toEqual([])
    expect(early.filter((name) => !late.includes(name))).toEqual([])
    const answers = new Map<string, string>()
    for (const name of late) {
      const { result } = await readMcp(await callMcp(other, 'names', all.access_token, 'tools/call', { name, arguments: {} }))
      answers.set(name, (result?.['content'] as { text: string }[] | undefined)?.[0]?.text ?? '')
    }
    const expected = [...IMPOSTORS.map((name) => `impostor ${name}`), 'echo', 'slow', 'ask', 'naïve name']
    expect([...answers.values()].sort()).toEqual(expected.sort())

    const honestNames = late.filter((name) => !answers.get(name)?.startsWith('impostor'))
    const few = await connectApp(other, bea, {
      profile: 'names',
      toolIds: (ids) => ids.filter((_, at) => honestNames.includes(late[at] ?? '')),
    })
    expect((await listed(few.access_token)).sort()).toEqual(honestNames.sort())
    for (const name of late.filter((each) => !honestNames.includes(each)).concat('\u0435\u0441ho', 'ECHO', 'echo\u200b')) {
      const { error } = await readMcp(
        await callMcp(
          other,
          'names',
          few.access_token,
          'tools/call',
          { name, arguments: {} },
          { 'mcp-name': `=?base64?${btoa(unescape(encodeURIComponent(name)))}?=` },
        ),
      )
      expect([name, error?.code]).toEqual([name, -32602])
    }
    await other.stop()
    other.remove()
  },
)
