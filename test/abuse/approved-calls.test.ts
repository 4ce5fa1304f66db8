/** Whether anything runs under an approval that nobody saw: beside the arguments, in later rounds, in other profiles; and what an app can make of being asked. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { formFor } from '@/gateway/approval-form.ts'
import type { ToolId } from '@/lib/ids.ts'
import { unhidden } from '@views/parts/format.ts'
import { type AskingHouse, openAskingHouse } from '../support/asking-house.ts'
import { answerText, json, startEchoUpstream } from '../support/echo-upstream.ts'
import { type App, answerOf, initialize, legacy, type Message, meta, modern, textIn } from '../support/gateway-house.ts'
import { connect } from '../support/matrix/apps.ts'
import { eventually } from '../support/outside.ts'
import { startNtfy } from '../support/receivers.ts'

let house: AskingHouse
beforeAll(async () => {
  house = await openAskingHouse({ approvalWaitMs: 400 })
}, 30_000)
afterAll(async () => {
  expect(house.faults).toEqual([])
  await house.close()
})
beforeEach(async () => {
  await house.settle()
  await house.rooms.approvals.setInApp(house.owner, 'not-destructive')
})

const lastAsked = (): Message => JSON.parse(house.upstream.calls.at(-1) ?? '{}') as Message

test('[APPROVAL-SHOWN][APPROVAL-BOUND] nothing that was not shown goes along: no metadata of the app, no answers to what nobody asked, no headers', async () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const params = {
    name: 'echo',
    arguments: { account: 'shown' },
    inputResponses: { hidden: { action: 'accept', content: { to: 'hidden' } } },
    _meta: { 'evil.example/to': 'hidden', 'hidden/token': 1, traceparent },
  }
  const answer = modern(house.app, 'tools/call', params, { headers: { 'mcp-param-to': 'hidden' } }).then(answerOf)
  await house.decide(await house.asked(), 'once')
  expect(textIn(await answer)).toBe('{"account":"shown"}')
  const sent = lastAsked()
  expect(JSON.stringify(sent)).not.toContain('hidden')
  expect(JSON.stringify(house.upstream.headers.at(-1))).not.toContain('hidden')
  expect(sent.params).toMatchObject({ _meta: { traceparent } })
  const headers = await initialize(house.app)
  const again = legacy(house.app, 'tools/call', params, { headers }).then(answerOf)
  await house.decide(await house.asked(), 'once')
  await again
  expect(JSON.stringify(lastAsked())).not.toContain('hidden')
  // A tool that does not ask gets what the app sends.
  await house.permit('echo', 'allow')
  await modern(house.app, 'tools/call', params).then(answerOf)
  expect(JSON.stringify(lastAsked())).toContain('evil.example/to')
})

let rounds = 0
/** A server that asks before it does anything, and an app that has been asked once. */
async function openRound() {
  rounds += 1
  const upstream = startEchoUpstream('modern', ({ id, params }) => {
    const question = {
      method: 'elicitation/create',
      params: { mode: 'form', message: '?', requestedSchema: { type: 'object', properties: {} } },
    }
    const asks = { resultType: 'input_required', inputRequests: { which: question }, requestState: 'theirs' }
    const isDone = params?.['inputResponses'] !== undefined
    return json(answerText(id, isDone ? { resultType: 'complete', content: [{ type: 'text', text: 'done' }] } : asks))
  })
  const connection = await house.connection(house.owner, `Asker ${upstream.url}`, { settings: { url: upstream.url } })
  const profile = await house.profile(house.owner, `Asking ${rounds}`, [connection], 'never')
  const [tool] = await house.rooms.connections.everything([connection])
  const toolId = tool?.id as ToolId
  const app = await house.admit(house.owner, profile)
  await house.rooms.approvals.setInApp(house.owner, 'never')
  await house.rooms.grants.permit(house.owner, app.grantId, toolId, 'ask')
  const params = { name: 'echo', arguments: { account: 'round' }, _meta: meta({ elicitation: { form: {} } }) }
  const first = modern(app, 'tools/call', params).then(answerOf)
  await house.decide(await house.asked(), 'once')
  const { requestState } = (await first).result as { requestState: string }
  expect(upstream.calls.length).toBe(1)
  return {
    upstream,
    profile,
    toolId,
    app,
    round: (of: App = app) =>
      modern(of, 'tools/call', { ...params, requestState, inputResponses: { which: { action: 'accept', content: {} } } }).then(answerOf),
    close: async () => {
      await house.rooms.grants.revoke(house.owner, app.grantId)
      await house.rooms.profiles.remove(house.owner, profile.id)
      await upstream.stop()
    },
  }
}

test('[APPROVAL-BOUND] a later round with other arguments than were approved is a call of its own', async () => {
  const { round, upstream, profile, toolId, close } = await openRound()
  await house.rooms.profiles.adjustTool(house.owner, profile.id, toolId, { override: { fixed: { account: 'other' } }, isPinned: false })
  expect(textIn(await round())).toStartWith('Waiting for approval')
  expect(upstream.calls.length).toBe(1)
  await close()
})

test('[APPROVAL-BOUND] a later round does not go on in another profile, where a tool of the same name is another', async () => {
  const { round, upstream, app, close } = await openRound()
  const store = house.rooms.store
  await store.transact(async (tx) => {
    tx.prepare<unknown, string[]>("UPDATE grants SET reach = 'any' WHERE id = ?").run([app.grantId])
  })
  await house.rooms.control.switchProfile(house.owner, app.grantId, house.work.id, 'usual')
  await house.rooms.grants.permit(house.owner, app.grantId, house.toolId('echo'), 'ask')
  const before = house.upstream.calls.length
  const there = { ...app, url: `${house.url}/mcp` }
  expect(textIn(await round(there))).toStartWith('Waiting for approval')
  expect([house.upstream.calls.length - before, upstream.calls.length]).toEqual([0, 1])
  await close()
})

test('[APPROVAL-BOUND] what was approved in one profile is nothing in another, where the same tool asks as well', async () => {
  const { rooms, owner } = house
  const home = await house.profile(owner, 'Home', [house.connectionId], 'never')
  const app = await house.app2()
  await rooms.store.transact(
    async (tx) => void tx.prepare<unknown, string[]>("UPDATE grants SET reach = 'any' WHERE id = ?").run([app.grantId]),
  )
  const call = (args: object) => modern({ ...app, url: `${house.url}/mcp` }, 'tools/call', { name: 'echo', arguments: args }).then(answerOf)
  await house.permit('echo', 'ask', app)
  const once = call({ account: 'once' })
  await house.decide(await house.asked(), 'once')
  await once
  await call({ account: 'once' })
  await house.decide(await house.asked(), 'once')
  const hour = call({ account: 'hour' })
  await house.decide(await house.asked(), 'hour')
  await hour
  // As if the program had ended between the switch and what follows from it.
  await rooms.store.transact(
    async (tx) => void tx.prepare<unknown, string[]>('UPDATE grants SET profile_id = ? WHERE id = ?').run([home.id, app.grantId]),
  )
  for (const account of ['once', 'hour']) expect(textIn(await call({ account }))).toStartWith('Waiting for approval')
})

test('[NOTICE-QUIET] an app that answers its own questions cannot ring at its user without end', async () => {
  const ntfy = startNtfy()
  const { way } = await house.rooms.notices.add(house.owner, {
    kind: 'ntfy',
    server: `http://127.0.0.1:${ntfy.port}`,
    topic: 'phone',
    token: '',
    name: 'Phone',
    topics: ['approvals'],
    home: house.url,
  })
  const app = await connect('legacy', house.app, { elicit: () => ({ action: 'decline' }) })
  for (let at = 0; at < 120; at += 1) await app.call({ name: 'echo', arguments: { account: `ring${at}` } })
  await app.close()
  await Bun.sleep(500)
  expect(ntfy.received.length).toBeGreaterThan(0)
  expect(ntfy.received.length).toBeLessThanOrEqual(10)
  expect(ntfy.received.at(-1)?.text).toContain('not told')
  // Nor fill the disk with what it asked.
  const kept = house.rooms.store.prepare<{ id: string }, [string]>('SELECT id FROM approvals WHERE grant_id = ?').all(house.app.grantId)
  expect(kept.length).toBeLessThanOrEqual(105)
  // Another app of the same user is told of as before.
  const other = await house.app2()
  await house.permit('echo', 'ask', other)
  const told = ntfy.received.length
  await modern(other, 'tools/call', { name: 'echo', arguments: { account: 'other' } }).then(answerOf)
  expect(await eventually(() => ntfy.received.length === told + 1)).toBe(true)
  await house.rooms.notices.remove(house.owner, way.id)
  ntfy.stop()
}, 30_000)

test('[APPROVAL-SHOWN] whatever has no look of its own is spelt out, in the app and on the page alike', () => {
  const hiding = [
    0xad, 0x34f, 0x61c, 0x115f, 0x17b4, 0x180b, 0x180e, 0x200b, 0x202e, 0x2063, 0x2066, 0x2800, 0x3164, 0xfe01, 0xfeff, 0xffa0,
  ]
  for (const code of [...hiding, 0xfff9, 0xe123, 0x1bca0, 0x1d173, 0xe0041, 0xe0101, 0xf0000]) {
    const text = `pay${String.fromCodePoint(code)}ee`
    const shown = {
      connectionName: 'Echo',
      profileTitle: 'Work',
      deviceName: '',
      kind: 'write',
      feature: 'tool',
      definition: '',
      cutChars: 0,
    } as const
    const approval = { exposedName: 'echo', purpose: text, shown: { ...shown, text: JSON.stringify({ to: text }) } }
    const { message } = formFor(approval as never, { isModern: true, link: 'https://here' }) as { message: string }
    expect([code, message.includes(text)]).toEqual([code, false])
    expect(message).toMatch(/"to":"pay(\\u[0-9a-f]{4}){1,2}ee"/)
    expect([code, unhidden(text)]).toEqual([code, `pay⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩ee`])
  }
})
