/** How a user is told away from the pages, to receivers as strict as the real ones. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createOutbound } from '@/lib/outbound.ts'
import { type AskingHouse, openAskingHouse } from '../support/asking-house.ts'
import { answerOf, modern } from '../support/gateway-house.ts'
import type { Person } from '../support/journey.ts'
import { eventually, makeCertificates } from '../support/outside.ts'
import { type Received, startNtfy, startPush, startWebhook } from '../support/receivers.ts'
import { createBrowser } from '../support/running.ts'

const HOST = 'push.example'
const TOKEN = 'tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2'
const WAIT_MS = 300
const { ca, of } = makeCertificates([HOST])
const ntfy = startNtfy(TOKEN)
const webhook = startWebhook()
const push = startPush(of[HOST], HOST)
let house: AskingHouse
let ada: Person
beforeAll(async () => {
  // Names lead to loopback, as those of an administrator's own network lead to it.
  const outbound = createOutbound({ ca, resolve: async () => ['127.0.0.1'] })
  house = await openAskingHouse({ approvalWaitMs: WAIT_MS, noticePausesMs: [20, 40], outbound })
  ada = await house.personOf(house.owner)
}, 30_000)
afterAll(async () => {
  expect(house.faults).toEqual([])
  await Promise.all([ntfy.stop(), webhook.stop(), push.stop()])
  await house.close()
})
afterEach(async () => {
  for (const receiver of [ntfy, webhook, push]) {
    receiver.refuse()
    expect(receiver.refused).toEqual([])
    receiver.received.length = 0
  }
  for (const { id } of await house.rooms.notices.list(house.owner.id)) await house.rooms.notices.remove(house.owner, id)
  await house.permit('echo', 'allow')
  await house.permit('echo', 'ask')
})

const TOPICS = ['approvals', 'trouble']
const ways = () => house.rooms.notices.list(house.owner.id)
const addNtfy = async (topics = TOPICS) =>
  ada.submit(await ada.open('/settings'), '/settings/notices/ntfy', {
    name: 'My phone',
    server: `http://127.0.0.1:${ntfy.port}`,
    topic: 'toolpass-8f3kq2',
    token: TOKEN,
    topics,
  })
const addWebhook = async (topics = TOPICS) => {
  const made = await ada.submit(await ada.open('/settings'), '/settings/notices/webhook', {
    name: 'Home',
    url: `http://127.0.0.1:${webhook.port}/hook?key=abc`,
    topics,
  })
  const [secret = ''] = /whsec_[\w+/=]+/.exec(made.html) ?? []
  webhook.knows(secret)
  return secret
}
const addPush = async (topics = TOPICS) =>
  ada.submit(await ada.open('/settings'), '/settings/notices/push', {
    name: 'Browser',
    ...push.subscribe(house.rooms.notices.pushKey),
    topics,
  })
let made = 0
/** A call that waits, with something in its arguments that nobody else may read. */
const ask = () => {
  made += 1
  return modern(house.app, 'tools/call', { name: 'echo', arguments: { account: `secret-${made}` } }).then(answerOf)
}
const next = async ({ received }: { received: Received[] }, count = 1): Promise<Received> => {
  if (!(await eventually(() => received.length >= count))) throw new Error('nothing arrived')
  return received[count - 1] as Received
}

describe('ways', () => {
  test('[NOTICE-WAYS] ntfy: a test at once, then the call that waits, with its page and without its arguments', async () => {
    await addNtfy()
    expect((await next(ntfy)).title).toBe('Toolpass can reach you')
    const waits = ask()
    const id = await house.asked()
    const { title, text, link, topic, body } = await next(ntfy, 2)
    expect({ title, text, link, topic }).toEqual({
      title: 'journey waits for you',
      text: 'It wants to use echo of Echo (write), in the profile Work.',
      link: `${house.url}/approvals/${id}?via=notice`,
      topic: 'toolpass-8f3kq2',
    })
    expect(body).not.toContain('secret-')
    await waits
  })
  test('[NOTICE-WAYS] a webhook is signed with the secret that was shown once', async () => {
    const secret = await addWebhook()
    expect(secret.length).toBeGreaterThan(40)
    expect((await ada.open('/settings')).html).not.toContain(secret)
    await Promise.all([
      ask(),
      next(webhook).then(({ title, topic, body }) => {
        expect([title, topic]).toEqual(['journey waits for you', 'toolpass.approvals'])
        expect(body).not.toContain('secret-')
      }),
    ])
  })
  test('[NOTICE-WAYS] a browser is pushed to, sealed for it alone and vouched for by the house', async () => {
    await addPush()
    expect((await next(push)).title).toBe('Toolpass can reach you')
    await Promise.all([
      ask(),
      next(push, 2).then(({ title, link, headers, body }) => {
        expect(title).toBe('journey waits for you')
        expect(link).toContain('/approvals/apr_')
        expect([headers['urgency'], headers['ttl']]).toEqual(['high', '3600'])
        expect(body).not.toContain('journey')
      }),
    ])
  })
  test('[NOTICE-WAYS] only what was chosen is told, and what is removed is told of nothing', async () => {
    await addNtfy(['trouble'])
    await next(ntfy)
    await ask()
    await Bun.sleep(50)
    expect(ntfy.received.length).toBe(1)
    const [way] = await ways()
    await ada.submit(await ada.open('/settings'), `/settings/notices/${way?.id}`, { name: 'Phone', topics: ['approvals'] })
    await ask()
    await next(ntfy, 2)
    await ada.submit(await ada.open('/settings'), `/settings/notices/${way?.id}/remove`, {})
    await ask()
    await Bun.sleep(50)
    expect(ntfy.received.length).toBe(2)
  })
  test('[NOTICE-WAYS] the link decides nothing by itself: it leads to the sign-in, and then to the page, where the way is remembered', async () => {
    await addNtfy()
    const waits = ask()
    const { link } = await next(ntfy, 2)
    const path = new URL(link).pathname + new URL(link).search
    const stranger = createBrowser(house.url)
    const answer = await stranger.get(path)
    expect(await answer.text()).not.toContain('secret-')
    expect([answer.status, (await house.waiting()).length]).toEqual([answer.status, 1])
    expect(answer.status).toBeGreaterThanOrEqual(300)
    const refused = await stranger.post(new URL(link).pathname, { decision: 'once', via: 'notice' })
    expect((await house.waiting()).length).toBe(1)
    expect(refused.status).toBeGreaterThanOrEqual(300)
    const page = await ada.open(path)
    await ada.submit(page, new URL(link).pathname, { decision: 'once' })
    await waits
    expect((await house.trail()).findLast(({ action }) => action === 'approval.approve')?.detail).toMatchObject({ via: 'notice' })
  })
})

describe('what is kept of a way', () => {
  test('[NOTICE-SEALED] neither address nor token nor topic is on a page, in the trail or readable in the file', async () => {
    await addNtfy()
    const secret = await addWebhook()
    await addPush()
    const { html } = await ada.open('/settings')
    const trail = JSON.stringify(await house.rooms.audit.list({ limit: 200 }))
    await house.rooms.audit.flush()
    const file = ['toolpass.db', 'toolpass.db-wal']
      .map((name) => join(house.rooms.config.dataDir, name))
      .filter((path) => existsSync(path))
      .map((path) => readFileSync(path, 'latin1'))
      .join('')
    const { endpoint, auth } = push.subscribe(house.rooms.notices.pushKey)
    for (const hidden of [TOKEN, 'toolpass-8f3kq2', secret, '/hook?key=abc', endpoint, auth])
      expect([hidden, html.includes(hidden), trail.includes(hidden), file.includes(hidden)]).toEqual([hidden, false, false, false])
    expect(html).toContain(`127.0.0.1:${ntfy.port}`)
  })
  test('[NOTICE-SEALED] a form that is refused does not give the token back', async () => {
    const browser = createBrowser(house.url)
    await browser.post('/login', { username: 'ada', password: 'correct horse battery' })
    const answer = await browser.post('/settings/notices/ntfy', { name: 'x', topic: 'not a topic', token: TOKEN })
    const html = await answer.text()
    expect([answer.status, html.includes(TOKEN), html.includes('A topic is up to 64 letters')]).toEqual([422, false, true])
  })
  test('[NOTICE-SEALED] ways of others look like missing ones', async () => {
    const bob = await house.user('bob')
    await addNtfy()
    const [way] = await ways()
    const id = way?.id as never
    for (const work of [
      () => house.rooms.notices.test(bob, id),
      () => house.rooms.notices.remove(bob, id),
      () => house.rooms.notices.change(bob, id, { name: 'mine', topics: [] }),
    ])
      await expect(work()).rejects.toMatchObject({ code: 'notice_way_not_found' })
    expect((await ways()).length).toBe(1)
  })
})

describe('where it may lead', () => {
  test('[NOTICE-GUARDED, ABUSE-21, ABUSE-22] a member’s way reaches nothing of this network, by address or by name', async () => {
    const carol = await house.user('carol')
    const before = ntfy.attempts()
    const addresses = [
      '127.0.0.1',
      '0x7f.1',
      '2130706433',
      '[::ffff:127.0.0.1]',
      'localhost.',
      '169.254.169.254',
      '10.0.0.1',
      'rebound.example',
    ]
    for (const host of addresses) {
      const { way } = await house.rooms.notices.add(carol, {
        kind: 'ntfy',
        name: host,
        server: `http://${host}:${ntfy.port}`,
        topic: 't',
        token: '',
        topics: ['approvals'],
        home: house.url,
      })
      expect(await house.rooms.notices.test(carol, way.id)).toMatch(/not allowed here/)
      await house.rooms.notices.remove(carol, way.id)
    }
    expect(ntfy.attempts()).toBe(before)
  })
  test('[NOTICE-GUARDED] what was entered by an administrator ends with the role', async () => {
    const dora = await house.user('dora', 'admin')
    const { way } = await house.rooms.notices.add(dora, {
      kind: 'webhook',
      name: 'mine',
      url: `http://127.0.0.1:${webhook.port}/`,
      topics: [],
      home: house.url,
    })
    webhook.refuse({ status: 200 })
    expect(await house.rooms.notices.test(dora, way.id)).toBeUndefined()
    await house.rooms.store.transact(
      async (tx) => void tx.prepare<unknown, [string]>("UPDATE users SET role = 'member' WHERE id = ?").run([dora.id]),
    )
    expect(await house.rooms.notices.test(dora, way.id)).toMatch(/not allowed here/)
  })
  test('[NOTICE-QUIET] tests go out one at a time, and another user has theirs meanwhile', async () => {
    const erin = await house.user('erin', 'admin')
    const made = async (user: typeof erin) =>
      (
        await house.rooms.notices.add(user, {
          kind: 'webhook',
          name: 'x',
          url: `http://127.0.0.1:${webhook.port}/`,
          topics: [],
          home: house.url,
        })
      ).way
    webhook.refuse({ status: 200 })
    const [own, theirs] = [await made(house.owner), await made(erin)]
    const before = webhook.attempts()
    const tests = [
      ...Array.from({ length: 5 }, () => house.rooms.notices.test(house.owner, own.id)),
      house.rooms.notices.test(erin, theirs.id),
    ]
    const ended = await Promise.allSettled(tests)
    expect(ended.map(({ status }) => status)).toEqual(['fulfilled', ...Array(4).fill('rejected'), 'fulfilled'])
    expect(webhook.attempts() - before).toBe(2)
    expect(await house.rooms.notices.test(house.owner, own.id)).toBeUndefined()
    await house.rooms.notices.remove(erin, theirs.id)
  })
  test('[NOTICE-GUARDED] no redirect is followed, and no other scheme is taken', async () => {
    await addWebhook()
    webhook.refuse({ status: 307, headers: { location: `http://127.0.0.1:${ntfy.port}/` } })
    const before = ntfy.attempts()
    const [way] = await ways()
    expect(await house.rooms.notices.test(house.owner, way?.id as never)).toContain('sends elsewhere (307)')
    expect(ntfy.attempts()).toBe(before)
    for (const url of ['file:///etc/passwd', 'javascript:alert(1)', 'http://ada:secret@127.0.0.1/', 'not an address'])
      await expect(
        house.rooms.notices.add(house.owner, { kind: 'webhook', name: 'x', url, topics: [], home: house.url }),
      ).rejects.toMatchObject({ code: 'invalid_form' })
  })
})

describe('trouble on the way', () => {
  test('[NOTICE-QUIET] a way that fails holds no call up, is tried again, and says on its page what is wrong', async () => {
    await addNtfy()
    await next(ntfy)
    ntfy.refuse({ status: 503 })
    const before = ntfy.attempts()
    const waits = ask()
    await house.decide(await house.asked(), 'once')
    const startedAt = performance.now()
    expect((await waits).result?.['isError']).toBeUndefined()
    expect(performance.now() - startedAt).toBeLessThan(200)
    expect(await eventually(() => ntfy.attempts() === before + 3)).toBe(true)
    expect(await eventually(async () => (await ways())[0]?.problem === `127.0.0.1:${ntfy.port} answered with 503.`)).toBe(true)
    expect((await ada.open('/settings')).html).toContain('answered with 503.')
    ntfy.refuse()
    const [way] = await ways()
    await ada.submit(await ada.open('/settings'), `/settings/notices/${way?.id}/test`, {})
    expect((await ways())[0]?.problem).toBeNull()
  })
  test('[NOTICE-QUIET] a token that is refused is said so and not tried again', async () => {
    await addNtfy()
    await next(ntfy)
    ntfy.refuse({ status: 403 })
    const before = ntfy.attempts()
    await ask()
    await Bun.sleep(150)
    expect(ntfy.attempts()).toBe(before + 1)
    expect((await ways())[0]?.problem).toContain('did not accept the token')
  })
  test('[NOTICE-QUIET] a browser that withdrew its subscription is forgotten', async () => {
    await addPush()
    push.refuse({ status: 410 })
    await ask()
    expect(await eventually(async () => (await ways()).length === 0)).toBe(true)
  })
  test('[NOTICE-QUIET] nobody is told who was shut out meanwhile', async () => {
    const eve = await house.user('eve', 'admin')
    await house.rooms.notices.add(eve, {
      kind: 'webhook',
      name: 'x',
      url: `http://127.0.0.1:${webhook.port}/`,
      topics: ['trouble'],
      home: house.url,
    })
    await house.rooms.users.disable('command line', eve.id)
    const before = webhook.attempts()
    house.rooms.notices.tell(eve.id, 'trouble', { title: 'a', text: 'b', path: '/' })
    await Bun.sleep(100)
    expect(webhook.attempts()).toBe(before)
  })
})

describe('news', () => {
  test('[NOTICE-NEWS] the owner is told once of tools that changed, with the profile where they wait', async () => {
    await addNtfy(['changes'])
    await next(ntfy)
    const tool = house.toolId('other')
    await house.rooms.store.transact(
      async (tx) => void tx.prepare<unknown, [string]>("UPDATE tools SET hash = 'another' WHERE id = ?").run([tool]),
    )
    const { changes } = house.rooms
    for (let times = 0; times < 3; times += 1) changes.announce({ kind: 'tools-changed', connectionId: house.connectionId })
    const { title, link } = await next(ntfy, 2)
    expect([title, link]).toEqual(['Echo changed other', `${house.url}/profiles/${house.work.id}`])
    await Bun.sleep(100)
    expect(ntfy.received.length).toBe(2)
  })
  test('[NOTICE-NEWS] a sign-in that fails is told to whose it is, now and then', async () => {
    await addNtfy(['trouble'])
    await next(ntfy)
    const { changes } = house.rooms
    for (let times = 0; times < 3; times += 1)
      changes.announce({ kind: 'credential-failing', connectionId: house.connectionId, userId: house.owner.id })
    const { title, link } = await next(ntfy, 2)
    expect([title, link]).toEqual(['Echo needs you to sign in again', `${house.url}/connections/${house.connectionId}`])
    await Bun.sleep(100)
    expect(ntfy.received.length).toBe(2)
  })
})
