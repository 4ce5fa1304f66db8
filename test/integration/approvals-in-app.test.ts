/** A user who is asked inside their app, by the clients of both SDKs, and by servers that ask in their turn. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { type AskingHouse, openAskingHouse } from '../support/asking-house.ts'
import { answerText, json, startEchoUpstream } from '../support/echo-upstream.ts'
import { connect, type Era, type Json, type Question, textOf } from '../support/matrix/apps.ts'
import { eventually } from '../support/outside.ts'
import { modern, answerOf, meta } from '../support/gateway-house.ts'

const WAIT_MS = 500
const ERAS: readonly Era[] = ['legacy', 'modern']
let house: AskingHouse
beforeAll(async () => {
  house = await openAskingHouse({ approvalWaitMs: WAIT_MS })
}, 30_000)
afterAll(async () => {
  expect(house.faults).toEqual([])
  await house.close()
})
afterEach(async () => {
  await house.permit('echo', 'allow')
  await house.permit('echo', 'ask')
  await house.rooms.approvals.setInApp(house.owner, 'not-destructive')
})

/** One call by an app that answers so; `questions` are what it was asked. */
async function calledBy(era: Era, args: object, elicit?: (params: Json) => Json) {
  const app = await connect(era, house.app, elicit ? { elicit } : {})
  try {
    const result = await app.call({ name: 'echo', arguments: args as Json })
    return { result, text: textOf(result), isError: result['isError'] === true, questions: app.questions }
  } finally {
    await app.close()
  }
}
const deciding = (decision: string) => () => ({ action: 'accept', content: { decision } })

describe.each(ERAS)('an app of the %s era', (era) => {
  test('[APPROVAL-WAITS] without a form to show, it is told where to decide; approved, its repeat runs', async () => {
    const args = house.fresh()
    const first = await calledBy(era, args)
    expect(first.isError).toBe(true)
    const id = await house.asked()
    expect(first.text).toBe(`Waiting for approval; repeat this call once it is approved: ${house.url}/approvals/${id}`)
    await house.decide(id, 'once')
    expect((await calledBy(era, args)).text).toBe(JSON.stringify(args))
  })
  test('[APPROVAL-WAITS] decided while it waits, it is served as if nothing had been', async () => {
    const args = house.fresh()
    const served = calledBy(era, args)
    await house.decide(await house.asked(), 'once')
    expect((await served).text).toBe(JSON.stringify(args))
  })
  test('[APPROVAL-IN-APP] the form shows tool and arguments, has no answer set beforehand, and once runs it once', async () => {
    const args = { ...house.fresh(), path: 'safe\u202Etxt.sh' }
    const { text, questions } = await calledBy(era, args, deciding('once'))
    expect(text).toBe(JSON.stringify(args))
    const { message, requestedSchema } = (questions[0] as Question).params as {
      message: string
      requestedSchema: { properties: { decision: Json }; required: string[] }
    }
    expect(message).toContain('may echo (write) of Echo be used?')
    expect(message).toContain(`"account": "${args.account}"`)
    // What is hidden is spelt out, so that what is read is what runs.
    expect(message).toContain('safe\\u202etxt.sh')
    expect(requestedSchema.required).toEqual(['decision'])
    expect(requestedSchema.properties.decision['default']).toBeUndefined()
    const answers = requestedSchema.properties.decision
    expect(answers['enum'] ?? (answers['oneOf'] as Json[]).map((each) => each['const'])).toEqual(['once', 'hour', 'always', 'refuse'])
    expect((await house.trail()).findLast(({ action }) => action === 'approval.approve')?.detail).toMatchObject({ via: 'app', for: 'once' })
    expect((await calledBy(era, args)).isError).toBe(true)
    expect(house.reached(args)).toBe(1)
  })
  test.each([
    ['refuse', deciding('refuse')],
    ['decline', () => ({ action: 'decline' })],
  ] as const)('[APPROVAL-IN-APP] no is no: %s', async (_, elicit) => {
    const args = house.fresh()
    const { isError, text } = await calledBy(era, args, elicit)
    expect([isError, text.startsWith('The user refused this call')]).toEqual([true, true])
    expect(house.reached(args)).toBe(0)
  })
  test.each([
    ['an empty form', () => ({ action: 'accept', content: {} })],
    ['a word that is none of the four', deciding('yes')],
    ['an answer to another question', () => ({ action: 'accept', content: { approved: 'once' } })],
    ['a form that was closed', () => ({ action: 'cancel' })],
  ] as const)('[APPROVAL-IN-APP] %s decides nothing, and the page still can', async (_, elicit) => {
    const args = house.fresh()
    const served = calledBy(era, args, elicit as () => Json)
    const id = await house.asked()
    await Bun.sleep(100)
    expect(house.reached(args)).toBe(0)
    await house.decide(id, 'once')
    expect((await served).text).toBe(JSON.stringify(args))
  })
  test('[APPROVAL-IN-APP] for an hour, and always, hold from inside the app as well', async () => {
    await calledBy(era, house.fresh(), deciding('hour'))
    expect((await calledBy(era, house.fresh())).isError).toBe(false)
    await house.permit('echo', 'refuse')
    await house.permit('echo', 'ask')
    await calledBy(era, house.fresh(), deciding('always'))
    expect((await house.rooms.grants.find(house.app.grantId))?.tools.get(house.toolId('echo'))).toBe('allow')
  })
  test('[APPROVAL-IN-APP] its user can switch it off: nobody is asked inside the app', async () => {
    await house.rooms.approvals.setInApp(house.owner, 'never')
    const { isError, questions } = await calledBy(era, house.fresh(), deciding('always'))
    expect([isError, questions.length]).toEqual([true, 0])
  })
})

describe('what destroys', () => {
  test('[APPROVAL-IN-APP] is decided on the page, unless its user wants it otherwise', async () => {
    const upstream = startEchoUpstream(
      'modern',
      ({ id }) => json(answerText(id, { resultType: 'complete', content: [{ type: 'text', text: 'gone' }] })),
      {
        others: {},
        tools: ['wipe'],
      },
    )
    const connection = await house.connection(house.owner, 'Wiper', { settings: { url: upstream.url } })
    const profile = await house.profile(house.owner, 'Wiping', [connection], 'never')
    const [tool] = await house.rooms.connections.everything([connection])
    await house.rooms.store.transact(
      async (tx) => void tx.prepare<unknown, [string]>("UPDATE tools SET kind = 'destructive' WHERE id = ?").run([tool?.id ?? '']),
    )
    house.rooms.profiles.forgetViews()
    const app = await house.admit(house.owner, profile)
    await house.rooms.grants.permit(house.owner, app.grantId, tool?.id as never, 'ask')
    const asking = async () => {
      const client = await connect('legacy', app, { elicit: deciding('once') })
      const result = await client.call({ name: 'wipe', arguments: {} })
      await client.close()
      return { isError: result['isError'] === true, questions: client.questions.length }
    }
    expect(await asking()).toEqual({ isError: true, questions: 0 })
    expect(upstream.calls).toEqual([])
    await house.rooms.approvals.setInApp(house.owner, 'always')
    expect(await asking()).toEqual({ isError: false, questions: 1 })
    await house.rooms.grants.revoke(house.owner, app.grantId)
    await upstream.stop()
  })
})

describe('a modern server that asks in its turn', () => {
  test('[APPROVAL-BOUND] goes on with what was approved, and a round that is sent twice is no second call', async () => {
    const upstream = startEchoUpstream('modern', ({ id, params }) => {
      const isDone = params?.['inputResponses'] !== undefined
      const question = {
        method: 'elicitation/create',
        params: { mode: 'form', message: 'Which?', requestedSchema: { type: 'object', properties: {} } },
      }
      const asks = { resultType: 'input_required', inputRequests: { which: question }, requestState: 'theirs' }
      return json(answerText(id, isDone ? { resultType: 'complete', content: [{ type: 'text', text: 'done' }] } : asks))
    })
    const connection = await house.connection(house.owner, 'Asker', { settings: { url: upstream.url } })
    const profile = await house.profile(house.owner, 'Asking', [connection], 'never')
    const [tool] = await house.rooms.connections.everything([connection])
    const app = await house.admit(house.owner, profile)
    await house.rooms.approvals.setInApp(house.owner, 'never')
    await house.rooms.grants.permit(house.owner, app.grantId, tool?.id as never, 'ask')
    const params = { name: 'echo', arguments: { account: 'round' }, _meta: meta({ elicitation: { form: {} } }) }
    const first = modern(app, 'tools/call', params).then(answerOf)
    await house.decide(await house.asked(), 'once')
    const { requestState, resultType } = (await first).result as Json
    expect(resultType).toBe('input_required')
    const round = () =>
      modern(app, 'tools/call', { ...params, requestState, inputResponses: { which: { action: 'accept', content: {} } } }).then(answerOf)
    const answers = await Promise.all([round(), round(), round()])
    const served = answers.filter(({ result }) => textOf(result) === 'done')
    expect([served.length, upstream.calls.length]).toEqual([1, 2])
    // The others are calls of their own, and wait to be approved.
    expect(answers.filter(({ result }) => textOf(result).startsWith('Waiting for approval')).length).toBe(2)
    await house.rooms.grants.revoke(house.owner, app.grantId)
    await upstream.stop()
  })
})

test('[APPROVAL-IN-APP] a modern app may take longer over its form than a client waits on the line', async () => {
  const args = house.fresh()
  const app = await connect('modern', house.app, {
    elicit: async () => (await Bun.sleep(WAIT_MS * 2), { action: 'accept', content: { decision: 'once' } }),
  } as never)
  expect(textOf(await app.call({ name: 'echo', arguments: args }))).toBe(JSON.stringify(args))
  await app.close()
})

test('[APPROVAL-IN-APP] decided on the page while the form is open, the call runs and the form counts for nothing', async () => {
  const args = house.fresh()
  const { promise, resolve } = Promise.withResolvers<Json>()
  const app = await connect('legacy', house.app, { elicit: () => promise } as never)
  const served = app.call({ name: 'echo', arguments: args })
  await eventually(() => app.questions.length === 1)
  await house.decide(await house.asked(), 'once')
  expect(textOf(await served)).toBe(JSON.stringify(args))
  resolve({ action: 'accept', content: { decision: 'always' } })
  await Bun.sleep(50)
  expect((await house.rooms.grants.find(house.app.grantId))?.tools.get(house.toolId('echo'))).toBe('ask')
  await app.close()
})

test('[APPROVAL-IN-APP] decided on the page while a modern app shows its form, the call runs, and the app finds the result when it comes back', async () => {
  const args = house.fresh()
  const { promise, resolve } = Promise.withResolvers<Json>()
  const app = await connect('modern', house.app, { elicit: () => promise } as never)
  const served = app.call({ name: 'echo', arguments: args })
  await eventually(() => app.questions.length === 1)
  await house.decide(await house.asked(), 'once')
  expect(await eventually(() => house.reached(args) === 1)).toBe(true)
  resolve({ action: 'cancel' })
  expect(textOf(await served)).toBe(JSON.stringify(args))
  expect(house.reached(args)).toBe(1)
  await app.close()
})

test('[APPROVAL-IN-APP] an app that gives the call up with the form open leaves it to the page', async () => {
  const args = house.fresh()
  const app = await connect('legacy', house.app, { elicit: () => new Promise<Json>(() => undefined) } as never)
  const away = new AbortController()
  const gone = app.call({ name: 'echo', arguments: args }, { signal: away.signal }).catch(() => 'gone')
  await eventually(() => app.questions.length === 1)
  const id = await house.asked()
  away.abort()
  await gone
  await eventually(() => !house.rooms.approvals.isWaitedFor(id))
  await house.decide(id, 'once')
  const again = await connect('legacy', house.app)
  expect(textOf(await again.call({ name: 'echo', arguments: args }))).toBe(JSON.stringify(args))
  expect(house.reached(args)).toBe(1)
  await Promise.all([app.close(), again.close()])
})
