/** The weekly digest: what it says, to whom it is told, and how often. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { NewRow } from '@/audit'
import { createDigests, type DigestMessage } from '@/grants'
import { DAY_MS, HOUR_MS } from '@/lib/clock.ts'
import { newClientId, newToolId, type UserId } from '@/lib/ids.ts'
import type { User } from '@/users'
import { type GatewayHouse, openGatewayHouse } from '../support/gateway-house.ts'
import type { Person } from '../support/journey.ts'

const HOSTILE = '<b onclick=x>evil</b>'
let rooms: GatewayHouse
let bob: Person
let users: { busy: User; quiet: User }

beforeAll(async () => {
  rooms = await openGatewayHouse()
  users = { busy: await rooms.user('busy'), quiet: await rooms.user('quiet') }
  bob = await rooms.personOf(users.busy)
  const row: NewRow = {
    ...{ kind: 'call', action: 'tools/call', outcome: 'ok', durationUs: 5_000, userId: users.busy.id, userName: 'busy' },
    ...{ subject: HOSTILE, clientName: HOSTILE, toolId: newToolId(), clientId: newClientId() },
  }
  for (let at = 0; at < 7; at += 1) rooms.house.audit.write({ ...row, outcome: at < 2 ? 'failed' : 'ok' }, false)
  await rooms.house.audit.flush()
}, 30_000)
afterAll(() => rooms.close())

function digestsAt(time: { now: number }) {
  const told: { userId: UserId; message: DigestMessage }[] = []
  const digests = createDigests({
    ...rooms.house,
    clock: () => time.now,
    tell: (userId, message) => void told.push({ userId, message }),
  })
  return { digests, told }
}

test('[DIGEST-WEEKLY] it is told once a week, the first time a week after somebody came, and not of a week in which nothing was', async () => {
  const time = { now: Date.now() - 7 * DAY_MS + HOUR_MS }
  const { digests, told } = digestsAt(time)
  await digests.sendDue()
  expect(told).toEqual([])
  time.now += 6 * DAY_MS
  await digests.sendDue()
  expect(told).toEqual([])
  time.now += DAY_MS
  await Promise.all([digests.sendDue(), digests.sendDue()])
  await digests.sendDue()
  expect(told.map(({ userId }) => userId)).toEqual([users.busy.id])
  expect(told[0]?.message).toEqual({
    title: 'Your week: 7 calls by 1 app',
    text: '2 failed, none refused.',
    path: '/activity/digest',
  })
  time.now += 8 * DAY_MS
  await digests.sendDue()
  expect(told).toHaveLength(1)
})

test('[DIGEST-WEEKLY] nobody who is disabled is told', async () => {
  const { digests, told } = digestsAt({ now: Date.now() + 30 * DAY_MS })
  await rooms.house.users.disable('command line', users.quiet.id)
  await digests.sendDue()
  expect(told.map(({ userId }) => userId)).not.toContain(users.quiet.id)
})

test('[DIGEST-WEEKLY, ACTIVITY-TEXT] the page says what the notice says, in names that are text', async () => {
  const { html } = await bob.open('/activity/digest')
  expect(html).toContain('&lt;b onclick=x&gt;evil&lt;/b&gt;')
  expect(html).not.toContain('<b onclick')
  expect(html.replace(/\s*\n\s*/g, '')).toContain('none in the week before</dt><dd>7</dd>')
})
