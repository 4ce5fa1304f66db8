/** The one way to write, and the number by which others know that something was written. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAudit, type NewRow } from '@/audit'
import type { UserId } from '@/lib/ids.ts'
import { openStore, users } from '@/store'
import { sealing } from '../support/sealing.ts'

let room: ReturnType<typeof open>
const open = () => {
  const folder = mkdtempSync(join(tmpdir(), 'toolpass-'))
  const store = openStore(folder)
  return { folder, store, audit: createAudit({ store, sealer: sealing(), clock: Date.now }) }
}
beforeEach(() => {
  room = open()
})
afterEach(async () => {
  await room.audit.flush()
  await room.store.close()
  rmSync(room.folder, { recursive: true })
})
const call = (subject: string): NewRow => ({ kind: 'call', action: 'tools/call', outcome: 'ok', subject })

describe('the number of commits', () => {
  const id = 'usr_0000000000000000' as UserId
  const user = { id, username: 'ada', usernameKey: 'ada', role: 'admin' as const, createdAt: 1 }
  test('goes up with a write that is flushed, with one that was undone, and with an act; not with calls or what was seen', async () => {
    const { store, audit } = room
    const steps: number[] = []
    const step = () => steps.push(store.epoch())
    step()
    await store.transact(async (tx) => void (await tx.insert(users).values(user)))
    step()
    await store.transact(async (tx) => void (await tx.update(users).set({ lastSeenAt: 2 })), 'process')
    await audit.write(call('change'), true)
    audit.write(call('read'), false)
    await audit.flush()
    step()
    await audit.report({ kind: 'auth', action: 'login', outcome: 'ok' })
    step()
    await store.transact(async (tx) => audit.report({ kind: 'auth', action: 'login', outcome: 'ok' }, tx), 'full')
    step()
    await expect(store.transact(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    step()
    expect(steps.map((each) => each - (steps[0] ?? 0)).slice(0, 5)).toEqual([0, 1, 1, 2, 3])
    expect(steps[5]).toBeGreaterThanOrEqual(steps[4] ?? 0)
  })
  test('never stands where it stood once the write can be read', async () => {
    const { store } = room
    await store.transact(async (tx) => void (await tx.insert(users).values(user)))
    const read = store.prepare<{ seen: number }, []>('SELECT coalesce(last_seen_at, 0) AS seen FROM users')
    let isOver = false
    const pairs: [seen: number, epoch: number][] = []
    const watching = (async () => {
      while (!isOver) {
        pairs.push([read.get()?.seen ?? 0, store.epoch()])
        await Promise.resolve()
        if (pairs.length % 20 === 0) await new Promise(setImmediate)
      }
    })()
    for (let seen = 1; seen <= 50; seen += 1) {
      await store.transact(async (tx) => {
        await tx.update(users).set({ lastSeenAt: seen })
        if (seen % 5 === 0) await Bun.sleep(1)
      })
      expect([read.get()?.seen, store.epoch()]).toEqual([seen, seen + 1])
    }
    isOver = true
    await watching
    expect(pairs.length).toBeGreaterThan(100)
    expect(pairs.filter(([seen, epoch]) => epoch !== seen + 1)).toEqual([])
  })
  test('has no way around it: nothing is prepared for writing outside a transaction, nor written through the reader', async () => {
    const { store } = room
    const leaked = await store.transact(async (tx) => tx)
    expect(() => leaked.prepare('DELETE FROM users')).toThrow('outside transact')
    expect(() => store.prepare('DELETE FROM users').get()).toThrow('readonly')
  })
})
