/** Databases without a house around them, for rooms that are opened alone. */
import { afterEach } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Failure } from '@/lib/failure.ts'
import { openStore, type Store } from '@/store'

/** To be called at the top of a file of tests. What is opened is gone after the test that opened it. */
export function loneStores() {
  const ends: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const end of ends.splice(0)) await end()
  })
  return () => {
    const folder = mkdtempSync(join(tmpdir(), 'toolpass-'))
    const store = openStore(folder)
    ends.push(async () => {
      await store.close()
      rmSync(folder, { recursive: true })
    })
    return { folder, store }
  }
}

/** The failure is that of a real full disk, which test/abuse/house.test.ts has; here it comes and goes at a word. */
export function fillable(store: Store) {
  const disk = { isFull: false, attempts: 0 }
  const transact: Store['transact'] = (work, durability) => {
    disk.attempts += 1
    return disk.isFull ? Promise.reject(new Failure('store_unavailable')) : store.transact(work, durability)
  }
  return { disk, transact }
}
