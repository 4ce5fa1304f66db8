/** Arguments and results beside their rows: sealed, vouched for by the chain, bounded, and never in anybody's way. */
import { describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sum } from 'drizzle-orm'
import { type AuditRow, type Contents, createAudit, mayRead, type NewRow, verifyChain } from '@/audit'
import { HELD_BYTES_MAX } from '@/audit/contents.ts'
import { sha256 } from '@/lib/crypto.ts'
import { Failure } from '@/lib/failure.ts'
import type { UserId } from '@/lib/ids.ts'
import { auditContents, auditRows } from '@/store'
import { fillable, loneStores } from '../support/lone-store.ts'
import { countTurns } from '../support/outside.ts'
import { sealing } from '../support/sealing.ts'

const openStore = loneStores()

function open() {
  const { folder, store } = openStore()
  const { disk, transact } = fillable(store)
  const sealer = sealing()
  const audit = createAudit({ store: { ...store, transact }, sealer, clock: Date.now })
  const rows = (): AuditRow[] => store.read.select().from(auditRows).orderBy(auditRows.seq).all()
  const bytes = () =>
    readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), 'latin1'))
      .join('')
  return { store, audit, sealer, disk, rows, bytes }
}
const call = (subject: string, more: Partial<NewRow> = {}): NewRow => ({
  ...{ kind: 'call', action: 'tools/call', outcome: 'ok', subject, userName: 'ada', requestBytes: 60, responseBytes: 200 },
  ...more,
})
const asked = (marker: string, keeps: Contents['keeps'] = 'redacted'): Contents => ({
  keeps,
  arguments: { query: `marker-${marker}`, password: 'hunter-2x' },
  result: { content: [{ type: 'text', text: `answer-${marker} ghp_${'aB3dE5fG7h'.repeat(4).slice(0, 36)}` }] },
})

describe('contents', () => {
  test('[TRAIL-CONTENTS] stand sealed beside their row, and open there alone', async () => {
    const { audit, rows, store, bytes } = open()
    audit.write(call('without'), false)
    audit.write(call('one'), false, asked('one'))
    await audit.write(call('two'), true, asked('two', 'whole'))
    const [without, one, two] = rows() as [AuditRow, AuditRow, AuditRow]
    expect([without.contentHash, await audit.contentsOf(without.seq)]).toEqual([null, undefined])
    const kept = await audit.contentsOf(one.seq)
    expect(kept).toEqual({
      keeps: 'redacted',
      arguments: '{"query":"marker-one","password":"[redacted: secret]"}',
      result: '{"content":[{"type":"text","text":"answer-one [redacted: GitHub token]"}]}',
    })
    expect(one.contentHash).toBe(sha256([kept?.keeps, kept?.arguments, kept?.result].join('\n')))
    expect((await audit.contentsOf(two.seq))?.arguments).toBe('{"query":"marker-two","password":"hunter-2x"}')
    expect(verifyChain(rows())).toEqual({ proven: 3, old: 0 })
    for (const text of ['marker-one', 'marker-two', 'answer-one', 'hunter-2x', 'ghp_'])
      expect([text, bytes().includes(text)]).toEqual([text, false])
    // Moved to another row it is no row's any more.
    const stored = store.read.select().from(auditContents).get() as typeof auditContents.$inferInsert
    await store.transact((tx) => tx.insert(auditContents).values({ ...stored, seq: without.seq, last: without.seq }))
    await expect(audit.contentsOf(without.seq)).rejects.toThrow()
  })
  test.each<Contents['keeps']>(['redacted', 'whole'])(
    'of a large call, which are cut at once, are those that would be kept of a small one: %s',
    async (keeps) => {
      const { audit, rows } = open()
      // Parts of a longer text, as parsing makes them.
      const whole = `${'It was said that the "password": hunter-2x is known.\\n'.repeat(2_000)}`
      const contents = (): Contents => ({
        keeps,
        arguments: { text: whole.slice(10, 9_000), password: 'hunter-2x', long: whole.slice(20, 60_000), list: [whole.slice(3, 8_000), 1] },
        result: {
          content: [
            { type: 'text', text: whole.slice(7) },
            { type: 'text', text: 'ü€🙂'.repeat(3_000) },
          ],
          data: 'abcd'.repeat(5_000),
        },
      })
      audit.write(call('small'), false, contents())
      await audit.write(call('large', { responseBytes: 200_000 }), true, contents())
      const [small, large] = await Promise.all(rows().map(({ seq }) => audit.contentsOf(seq)))
      expect(large).toEqual(small as NonNullable<typeof small>)
      expect(large?.result).toContain(`[cut: ${whole.length - 7} characters in all]`)
      expect(large?.arguments?.includes('hunter-2x')).toBe(keeps === 'whole')
    },
  )
  test('of refused and failed calls are kept as well, by way of a record', async () => {
    const { audit, rows } = open()
    const failing = audit.record(
      { action: 'tools/call', subject: 'no', contents: { keeps: 'redacted', arguments: { a: 1 } } },
      async () => {
        throw new Failure('tool_not_granted')
      },
    )
    expect(failing).rejects.toThrow()
    await failing.catch(() => undefined)
    await audit.flush()
    expect(rows()[0]).toMatchObject({ outcome: 'refused', reason: 'tool_not_granted' })
    expect(await audit.contentsOf(1)).toEqual({ keeps: 'redacted', arguments: '{"a":1}' })
  })
  test('are made into text in the batch, not on the turn of who wrote the row', async () => {
    const { audit } = open()
    let looks = 0
    const watched = new Proxy(
      { a: 1 },
      {
        ownKeys(target) {
          looks += 1
          return Reflect.ownKeys(target)
        },
      },
    )
    audit.write(call('one'), false, { keeps: 'redacted', arguments: watched })
    expect(looks).toBe(0)
    await audit.flush()
    expect(looks).toBeGreaterThan(0)
  })
  test('wait with their rows for a file that cannot be written, and are made once', async () => {
    const { audit, disk, rows } = open()
    disk.isFull = true
    await audit.write(call('one'), true, asked('one'))?.catch(() => undefined)
    audit.write(call('two'), false, asked('two'))?.catch(() => undefined)
    await Bun.sleep(20)
    disk.isFull = false
    await audit.flush()
    expect(rows().map(({ subject }) => subject)).toEqual(['one', 'two'])
    for (const { seq, subject } of rows()) expect((await audit.contentsOf(seq))?.arguments).toContain(`marker-${subject}`)
    expect(verifyChain(rows())).toEqual({ proven: 2, old: 0 })
  })
  test('[TRAIL-BOUNDED] are left out with a word in the row where too much waits; the rows stay, and nobody waits for it', async () => {
    const { audit, rows } = open()
    const large = HELD_BYTES_MAX / 4
    const waits = Array.from({ length: 9 }, (_, at) =>
      audit.write(call(`${at}`, { responseBytes: large, detail: { via: 'x' } }), false, asked(`${at}`)),
    )
    expect(waits.filter((wait) => wait !== undefined)).toEqual([])
    await audit.flush()
    const left = rows().filter(({ contentHash }) => contentHash === null)
    expect([rows().length, left.length > 4, left.length < 9]).toEqual([9, true, true])
    for (const { detail } of left) expect(detail).toEqual({ via: 'x', contents: 'left out: too much was waiting to be written' })
    audit.write(call('again', { responseBytes: large }), false, asked('again'))
    await audit.flush()
    expect(rows().at(-1)?.contentHash).not.toBeNull()
    expect(verifyChain(rows()).brokenAt).toBeUndefined()
  })
  test.each([
    ['small', 0],
    ['so large that they are cut at once', 100_000],
  ])('that cannot be looked through are left out, and their row is blank where it could not be: %s', async (_, responseBytes) => {
    const { audit, rows } = open()
    const broken = {
      keeps: 'redacted',
      arguments: {
        get a() {
          throw new Error('no')
        },
      },
    } as Contents
    await audit.write(call('one', { responseBytes }), true, broken)
    expect(rows()[0]).toMatchObject({
      subject: '[redacted]',
      contentHash: null,
      detail: { contents: 'left out: they could not be looked through for secrets' },
    })
  })
})

describe('a row', () => {
  test('[TRAIL-REDACTED] has no secret in its address, its reason or its purpose', async () => {
    const { audit, rows, bytes } = open()
    const secret = 'canary-5tF9q'
    const token = `ghp_${'aB3dE5fG7h'.repeat(4).slice(0, 36)}`
    await audit.write(
      call(`https://files.example/x?token=${secret}`, { purpose: `use password: ${secret} for ada@example.com`, reason: token }),
      true,
    )
    await audit.report({ kind: 'auth', action: 'login', outcome: 'refused', subject: 'ada@example.com', reason: `bearer ${secret}` })
    await audit.report({
      kind: 'admin',
      action: 'audit.export',
      outcome: 'ok',
      detail: { tokens: 12_345, q: token, more: [`password=${secret}`] },
    })
    expect(rows().map(({ subject, reason, purpose }) => [subject, reason, purpose])).toEqual([
      [
        'https://files.example/x?token=[redacted: secret]',
        '[redacted: GitHub token]',
        'use password: [redacted: secret] for [redacted: e-mail]',
      ],
      ['ada@example.com', 'bearer [redacted: secret]', null],
      [null, null, null],
    ])
    expect(rows()[2]?.detail).toEqual({ tokens: 12_345, q: '[redacted: GitHub token]', more: ['password=[redacted: secret]'] })
    expect([bytes().includes(secret), bytes().includes(token)]).toEqual([false, false])
  })
  test('[TRAIL-READERS] is read by who made the call, its contents by nobody else; an administrator sees that it was, and that look is an act', async () => {
    const { audit, rows } = open()
    const [ada, bea] = ['usr_a', 'usr_b'] as [UserId, UserId]
    await audit.write(call('x', { userId: ada, userName: 'ada' }), true, asked('x'))
    const [row] = rows() as [AuditRow]
    const reader = (id: UserId, role: 'admin' | 'member') => ({ id, role, username: id })
    expect(mayRead(row, reader(ada, 'member'))).toBe('all')
    expect(mayRead(row, reader(ada, 'admin'))).toBe('all')
    expect(mayRead(row, reader(bea, 'admin'))).toBe('row')
    expect(mayRead(row, reader(bea, 'member'))).toBe('nothing')
    // What she did beside calls is hers to see as well; nothing else is kept of it.
    expect(mayRead({ ...row, kind: 'admin' }, reader(ada, 'member'))).toBe('row')
    expect(mayRead({ ...row, kind: 'admin' }, reader(bea, 'member'))).toBe('nothing')
    await audit.reportLook(row, reader(ada, 'admin'))
    expect(rows()).toHaveLength(1)
    await audit.reportLook(row, reader(bea, 'admin'), '192.0.2.1')
    expect(rows()[1]).toMatchObject({
      kind: 'admin',
      action: 'audit.look',
      userName: 'usr_b',
      subject: 'record 1',
      address: '192.0.2.1',
      detail: { of: 'ada' },
    })
  })
})

test('[TRAIL-BOUNDED] many large results at once are looked through with others having their turn meanwhile', async () => {
  const { audit, rows, store } = open()
  const text = JSON.stringify(Array.from({ length: 1_000 }, (_, at) => ({ id: at, name: `name ${at}`, key: 'kept' })))
  const large = (): Contents => ({ keeps: 'redacted', result: { content: [{ type: 'text', text }] } })
  // What is loaded and compiled the first time is not what this is about.
  await audit.write(call('first'), true, large())
  for (let at = 0; at < 150; at += 1) audit.write(call(`large ${at}`), false, large())
  const turns = countTurns()
  await audit.flush()
  expect(turns.end()).toBeGreaterThan(2)
  expect(rows().length).toBe(151)
  expect(
    store.read
      .select({ kept: sum(auditContents.rows) })
      .from(auditContents)
      .get()?.kept,
  ).toBe('151')
  expect(verifyChain(rows()).brokenAt).toBeUndefined()
})
