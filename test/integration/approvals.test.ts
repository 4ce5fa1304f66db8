/** A call that waits for its user: the word about it, the repeat, what it is bound to, what ends it. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { answerOf, initialize, legacy, messagesOf, modern, textIn, isError } from '../support/gateway-house.ts'
import { type AskingHouse, openAskingHouse } from '../support/asking-house.ts'
import { eventually } from '../support/outside.ts'

/** As long as a test may wait for what a person has 45 seconds for. */
const WAIT_MS = 400
let house: AskingHouse
beforeAll(async () => {
  house = await openAskingHouse({ approvalWaitMs: WAIT_MS })
}, 30_000)
afterAll(async () => {
  expect(house.faults).toEqual([])
  await house.close()
})
afterEach(() => house.settle())

const call = (args: object, name = 'echo') => modern(house.app, 'tools/call', { name, arguments: args }).then(answerOf)
/** The newest row of a call; rows of calls that were refused follow their answer. */
const lastCall = async () => {
  await house.rooms.audit.flush()
  return (await house.rooms.audit.list({ kind: 'call', limit: 1 }))[0]
}

describe('waiting', () => {
  test('[APPROVAL-WAITS] a call waits, does not reach its server, and runs with the word of its user', async () => {
    const args = house.fresh()
    const answer = call(args)
    const id = await house.asked()
    await Bun.sleep(50)
    expect(house.reached(args)).toBe(0)
    await house.decide(id, 'once')
    expect(textIn(await answer)).toBe(JSON.stringify(args))
    expect(house.reached(args)).toBe(1)
  })
  test('[APPROVAL-WAITS] a client that gave a token sees progress at once, on a stream', async () => {
    const answer = modern(house.app, 'tools/call', { name: 'echo', arguments: house.fresh(), _meta: { progressToken: 'p' } })
    const id = await house.asked()
    await house.decide(id, 'once')
    const messages = await messagesOf(await answer)
    expect(messages[0]).toMatchObject({
      method: 'notifications/progress',
      params: { progressToken: 'p', message: `Waiting for approval: ${house.url}/approvals/${id}` },
    })
    expect(messages.at(-1)?.result).toBeDefined()
  })
  test('[APPROVAL-WAITS] what is not set to ask runs meanwhile', async () => {
    const held = call(house.fresh())
    await house.asked()
    expect(isError(await call({}, 'other'))).toBe(false)
    await house.decide(await house.asked(), 'refuse')
    await held
  })
  test('[APPROVAL-WAITS] an app of an older revision waits and is served in the same way', async () => {
    const args = house.fresh()
    const headers = await initialize(house.app)
    const answer = legacy(house.app, 'tools/call', { name: 'echo', arguments: args }, { headers }).then(answerOf)
    await house.decide(await house.asked(), 'once')
    expect(textIn(await answer)).toBe(JSON.stringify(args))
  })
})

describe('the repeat', () => {
  test('[APPROVAL-REPEAT] nobody decides: the answer names the page, the row says why, and the server heard nothing', async () => {
    const args = house.fresh()
    const answer = await call(args)
    const [waiting] = await house.waiting()
    expect(isError(answer)).toBe(true)
    expect(textIn(answer)).toBe(`Waiting for approval; repeat this call once it is approved: ${house.url}/approvals/${waiting?.id}`)
    expect(house.reached(args)).toBe(0)
    const row = await lastCall()
    expect(row).toMatchObject({ outcome: 'refused', reason: 'needs_approval', detail: { approval: waiting?.id } })
    expect(Number(row?.detail?.['waitedMs'])).toBeGreaterThanOrEqual(WAIT_MS - 50)
  })
  test('[APPROVAL-REPEAT] approved afterwards, one identical call runs at once, whatever the order of its keys, and the next asks anew', async () => {
    const { account } = house.fresh()
    await call({ account, more: [1, { a: 1, b: 2 }] })
    await house.decide(await house.asked(), 'once')
    const startedAt = performance.now()
    expect(isError(await call({ more: [1, { b: 2, a: 1 }], account }))).toBe(false)
    expect(performance.now() - startedAt).toBeLessThan(WAIT_MS)
    expect(isError(await call({ account, more: [1, { a: 1, b: 2 }] }))).toBe(true)
    expect(house.reached({ account })).toBe(1)
  })
  test('[APPROVAL-REPEAT] of fifty repeats at once exactly one runs', async () => {
    const args = house.fresh()
    await call(args)
    await house.decide(await house.asked(), 'once')
    const answers = await Promise.all(Array.from({ length: 50 }, () => call(args)))
    expect(answers.filter((answer) => !isError(answer)).length).toBe(1)
    expect(house.reached(args)).toBe(1)
  })
  test('[APPROVAL-REPEAT] identical calls that wait are asked about once, and one word runs one of them', async () => {
    const args = house.fresh()
    const answers = Promise.all([call(args), call(args), call(args)])
    const id = await house.asked()
    await Bun.sleep(50)
    expect((await house.waiting()).length).toBe(1)
    await house.decide(id, 'once')
    const served = (await answers).filter((answer) => !isError(answer))
    expect([served.length, house.reached(args)]).toEqual([1, 1])
  })
  test('[APPROVAL-REPEAT] a client that gives up leaves it decidable, and its repeat runs', async () => {
    const args = house.fresh()
    const away = new AbortController()
    const gone = modern(house.app, 'tools/call', { name: 'echo', arguments: args }, { signal: away.signal }).catch(() => 'gone')
    const id = await house.asked()
    away.abort()
    expect(await gone).toBe('gone')
    await eventually(async () => !house.rooms.approvals.isWaitedFor(id))
    await house.decide(id, 'once')
    expect(textIn(await call(args))).toBe(JSON.stringify(args))
  })
  test('[APPROVAL-REPEAT] an approval that was not used in fifteen minutes is worth nothing', async () => {
    const args = house.fresh()
    await call(args)
    const id = await house.asked()
    await house.decide(id, 'once')
    await house.rooms.store.transact(
      async (tx) =>
        void tx.prepare<unknown, [number, string]>('UPDATE approvals SET expires_at = ? WHERE id = ?').run([Date.now() - 1, id]),
    )
    expect(isError(await call(args))).toBe(true)
    await house.rooms.approvals.sweep()
    expect((await house.trail()).findLast(({ action }) => action === 'approval.expire')).toMatchObject({
      reason: 'time',
      detail: { approval: id, was: 'approved' },
    })
  })
})

describe('what it is bound to', () => {
  test('[APPROVAL-BOUND] other arguments need another word, however little differs', async () => {
    const args = house.fresh()
    await call(args)
    await house.decide(await house.asked(), 'once')
    for (const other of [{ ...args, more: null }, { account: `${args.account} ` }, { account: [args.account] }, {}])
      expect(isError(await call(other))).toBe(true)
    expect(house.reached(args)).toBe(0)
    expect(isError(await call(args))).toBe(false)
  })
  test('[APPROVAL-BOUND] a fixed argument of the profile that changed meanwhile is another call', async () => {
    const args = house.fresh()
    await call(args)
    await house.decide(await house.asked(), 'once')
    await house.rooms.profiles.adjustTool(house.owner, house.work.id, house.toolId('echo'), {
      override: { fixed: { account: 'fixed' } },
      isPinned: false,
    })
    expect(isError(await call(args))).toBe(true)
    await house.rooms.profiles.adjustTool(house.owner, house.work.id, house.toolId('echo'), { override: {}, isPinned: false })
    expect(isError(await call(args))).toBe(false)
  })
  test('[APPROVAL-BOUND] the same call of another app, or of another tool, is another call', async () => {
    const args = house.fresh()
    const second = await house.app2()
    await house.permit('echo', 'ask', second)
    await house.permit('other', 'ask')
    await call(args)
    await house.decide(await house.asked(), 'once')
    expect(isError(await modern(second, 'tools/call', { name: 'echo', arguments: args }).then(answerOf))).toBe(true)
    expect(isError(await call(args, 'other'))).toBe(true)
    expect(house.reached(args)).toBe(0)
    expect(isError(await call(args))).toBe(false)
    await house.permit('other', 'allow')
    await house.rooms.grants.revoke(house.owner, second.grantId)
  })
  test('[APPROVAL-BOUND] what is found by search asks as well', async () => {
    const args = house.fresh()
    await house.deliver('search')
    const answer = modern(house.app, 'tools/call', { name: 'call_tool', arguments: { name: 'echo', arguments: args } }).then(answerOf)
    await house.decide(await house.asked(), 'once')
    expect(textIn(await answer)).toBe(JSON.stringify(args))
    await house.deliver('whole')
  })
})

describe('the four words', () => {
  test('[APPROVAL-WORDS] refused: the answer says so plainly, and the same call once more is asked about anew', async () => {
    const args = house.fresh()
    const answer = call(args)
    const id = await house.asked()
    await house.decide(id, 'refuse')
    expect(isError(await answer)).toBe(true)
    expect(textIn(await answer)).toContain('The user refused this call of echo.')
    const row = await lastCall()
    expect(row).toMatchObject({ outcome: 'refused', reason: 'approval_refused' })
    const again = call(args)
    expect(await house.asked()).not.toBe(id)
    await again
    expect(house.reached(args)).toBe(0)
  })
  test('[APPROVAL-WORDS] for an hour: every call of this tool by this app runs, and of no other tool', async () => {
    const [first, second] = [house.fresh(), house.fresh()]
    const waits = Promise.all([call(first), call(second)])
    await eventually(async () => (await house.waiting()).length === 2)
    await house.decide(await house.asked(), 'hour')
    // The other one was covered by the same word.
    expect((await waits).map(isError)).toEqual([false, false])
    expect(isError(await call(house.fresh()))).toBe(false)
    await house.permit('other', 'ask')
    expect(isError(await call(house.fresh(), 'other'))).toBe(true)
    await house.permit('other', 'allow')
  })
  test('[APPROVAL-WORDS] after the hour it asks again', async () => {
    const waits = call(house.fresh())
    await house.decide(await house.asked(), 'hour')
    await waits
    await house.rooms.store.transact(
      async (tx) => void tx.prepare<unknown, [number]>("UPDATE approvals SET expires_at = ? WHERE scope = 'hour'").run([Date.now() - 1]),
    )
    expect(isError(await call(house.fresh()))).toBe(true)
  })
  test('[APPROVAL-WORDS] always: the permission itself says yes from then on, and the trail says who changed it', async () => {
    const waits = call(house.fresh())
    await house.decide(await house.asked(), 'always')
    expect(isError(await waits)).toBe(false)
    const grant = await house.rooms.grants.find(house.app.grantId)
    expect(grant?.tools.get(house.toolId('echo'))).toBe('allow')
    expect(isError(await call(house.fresh()))).toBe(false)
    expect((await house.trail()).at(-1)).toMatchObject({
      action: 'grant.permit',
      userName: 'ada',
      detail: { permission: 'allow', via: 'page' },
    })
  })
  test('[APPROVAL-WORDS] asked, approved and used stand in the trail, each with the call', async () => {
    const before = (await house.trail()).length
    const waits = call(house.fresh())
    const id = await house.asked()
    await house.decide(id, 'once')
    await waits
    const rows = (await house.trail()).slice(before)
    expect(rows.map(({ action, userName, subject, detail }) => [action, userName, subject, detail?.['approval']])).toEqual([
      ['approval.ask', 'ada', 'echo', id],
      ['approval.approve', 'ada', 'echo', id],
      ['approval.use', 'ada', 'echo', id],
    ])
    expect(rows[1]?.detail).toMatchObject({ via: 'page', for: 'once' })
    const served = await lastCall()
    expect(served).toMatchObject({ outcome: 'ok', detail: { approval: id } })
  })
  test('[APPROVAL-WORDS] of two decisions one counts', async () => {
    const waits = call(house.fresh())
    const id = await house.asked()
    const words = await Promise.allSettled([house.decide(id, 'refuse'), house.decide(id, 'once'), house.decide(id, 'hour')])
    expect(words.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(isError(await waits)).toBe(true)
  })
})

describe('what ends it', () => {
  const ended = async (id: string) =>
    (await house.trail()).find(({ action, detail }) => action === 'approval.expire' && detail?.['approval'] === id)

  test('[APPROVAL-ENDS] a pause ends what waits and what was approved; the waiting call is answered, and resuming brings nothing back', async () => {
    const [approved, args] = [house.fresh(), house.fresh()]
    await call(approved)
    await house.decide(await house.asked(), 'once')
    const waits = call(args)
    const id = await house.asked()
    await house.rooms.grants.pause(house.owner, house.app.grantId)
    expect((await waits).error?.message).toContain('You paused this app')
    expect(await eventually(async () => (await ended(id))?.reason === 'grant_paused')).toBe(true)
    await expect(house.decide(id, 'once')).rejects.toMatchObject({ code: 'approval_decided' })
    // What was open of the app has ended by then.
    await Bun.sleep(100)
    await house.rooms.grants.resume(house.owner, house.app.grantId)
    expect(isError(await call(approved))).toBe(true)
    expect(house.reached(approved) + house.reached(args)).toBe(0)
  })
  test('[APPROVAL-ENDS] a permission that became no ends it, and the waiting call finds no such tool; one that became yes lets it run', async () => {
    const waits = call(house.fresh())
    const id = await house.asked()
    await house.permit('echo', 'refuse')
    expect((await waits).error?.message).toContain('Unknown tool')
    expect((await ended(id))?.reason).toBe('permission_changed')
    await house.permit('echo', 'ask')
    const args = house.fresh()
    const next = call(args)
    await house.asked()
    await house.permit('echo', 'allow')
    expect(textIn(await next)).toBe(JSON.stringify(args))
  })
  test('[APPROVAL-ENDS] an hour that was given does not come back with the permission to ask', async () => {
    const waits = call(house.fresh())
    await house.decide(await house.asked(), 'hour')
    await waits
    await house.permit('echo', 'allow')
    await eventually(async () => (await house.trail()).at(-1)?.action === 'approval.expire')
    await house.permit('echo', 'ask')
    expect(isError(await call(house.fresh()))).toBe(true)
  })
  test('[APPROVAL-ENDS] a tool that leaves the profile takes its approvals along', async () => {
    const waits = call(house.fresh())
    const id = await house.asked()
    await house.rooms.profiles.setTools(house.owner, house.work.id, [house.toolId('other')])
    expect((await waits).error?.message).toContain('Unknown tool')
    expect((await ended(id))?.reason).toBe('definition_changed')
    await house.rooms.profiles.setTools(house.owner, house.work.id, [house.toolId('other'), house.toolId('echo')])
  })
  test('[APPROVAL-ENDS] revoked, the waiting call is answered and nothing can be decided any more', async () => {
    const second = await house.app2()
    await house.permit('echo', 'ask', second)
    const waits = modern(second, 'tools/call', { name: 'echo', arguments: house.fresh() }).then(answerOf)
    const id = await house.asked()
    await house.rooms.grants.revoke(house.owner, second.grantId)
    expect((await waits).error?.message).toContain('Unknown tool')
    await expect(house.decide(id, 'always')).rejects.toMatchObject({ code: 'approval_decided' })
    expect((await ended(id))?.reason).toBe('grant_revoked')
  })
})

describe('bounds', () => {
  test('[APPROVAL-BOUNDED] the twenty-first call of an app is told to wait its turn', async () => {
    const waits = Array.from({ length: 20 }, () => call(house.fresh()))
    expect(await eventually(async () => (await house.waiting()).length === 20)).toBe(true)
    const answer = await call(house.fresh())
    expect(isError(answer)).toBe(true)
    expect(textIn(answer)).toBe(`Too many calls wait for approval already. They are decided about here: ${house.url}/approvals`)
    const row = await lastCall()
    expect(row?.reason).toBe('too_many_approvals')
    // What comes over and over begins nothing that others would have to wait for.
    const epoch = house.rooms.store.epoch()
    await Promise.all(Array.from({ length: 20 }, () => call(house.fresh())))
    // The house has duties of its own now and then; the twenty calls are none of them.
    expect(house.rooms.store.epoch() - epoch).toBeLessThan(5)
    await house.decide(await house.asked(), 'always')
    expect((await Promise.all(waits)).map(isError)).not.toContain(true)
  })
  test('[APPROVAL-BOUND] arguments of a megabyte are kept cut, and bound whole', async () => {
    const { account } = house.fresh()
    const long = 'x'.repeat(1_000_000)
    await call({ account, long })
    const [waiting] = await house.waiting()
    expect(waiting?.shown.text.length).toBe(64 * 1024)
    expect(waiting?.shown.cutChars).toBeGreaterThan(900_000)
    await house.decide(await house.asked(), 'once')
    expect(isError(await call({ account, long: `${long.slice(1)}y` }))).toBe(true)
    expect(isError(await call({ account, long }))).toBe(false)
  })
})
