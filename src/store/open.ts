import { Database } from 'bun:sqlite'
import { AsyncLocalStorage } from 'node:async_hooks'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type BunSQLiteDatabase, drizzle } from 'drizzle-orm/bun-sqlite'
import { shipped } from '../lib/assets.ts'
import { Failure } from '../lib/failure.ts'
import { lockFolder } from './lock.ts'
import { migrate } from './migrate.ts'
import * as tables from './tables/index.ts'

type Tables = typeof tables

/** For reading anywhere. Its connection is read-only: a write through it is refused by SQLite itself. */
export type Reader = Pick<BunSQLiteDatabase<Tables>, 'select' | 'selectDistinct' | 'query' | '$count'>
/** For reading and writing inside `transact`. */
export type Writer = Pick<BunSQLiteDatabase<Tables>, 'select' | 'selectDistinct' | 'query' | '$count' | 'insert' | 'update' | 'delete'> & {
  /** A statement for what is written often, prepared once, on the connection that writes. Throws outside a transaction. */
  prepare<Row, Args extends SqlValue[]>(sql: string): { get(...args: Args): Row | null; run(args: Args): void }
}

export type Durability = 'full' | 'process'

export type Store = {
  readonly read: Reader
  /**
   * The only way to write: one writer at a time, all of `work` or nothing of it. `full` (the default) survives the loss of
   * power, `process` survives kill -9 of this program. `work` may await, but must not wait for another `transact`.
   *
   * What decides about access is written with `full`, always: whoever keeps verdicts in memory goes by `epoch`, which
   * `process` leaves alone. It is for what was seen and when it was last used.
   */
  transact<T>(work: (tx: Writer) => Promise<T>, durability?: Durability): Promise<T>
  /**
   * Counts the ends of `full` transactions, rolled back or not. It goes up in the same turn as the COMMIT, before anybody
   * can read what was written. Take it first, then read: what was read is true for as long as the number stands.
   */
  epoch(): number
  /** Statements for the hot path and for what drizzle cannot say, prepared once, on the read-only connection. */
  prepare<Row, Args extends SqlValue[]>(sql: string): { get(...args: Args): Row | null; all(...args: Args): Row[] }
  close(): Promise<void>
}
export type SqlValue = string | number | bigint | null | Uint8Array

const BUSY_TIMEOUT_MS = 5_000
const CACHE_KIB = 4_096
/** Four times as many pages as SQLite would take: each time waits for the disk twice, and what is written over and over is copied once. */
const CHECKPOINT_PAGES = 4_000

/**
 * Opens the data folder. Throws a sentence for the person at the terminal when it is locked, not writable, damaged or newer.
 * @param migrations folder of SQL files; the shipped one by default
 */
export function openStore(folder: string, migrations = shipped('migrations')): Store {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const unlock = sayingWhy(folder, () => lockFolder(folder))
  if (!unlock) throw new Error(`Another Toolpass is running on ${folder}. Stop it first, or choose another data folder.`)
  try {
    return sayingWhy(folder, () => opened(join(folder, 'toolpass.db'), migrations, unlock))
  } catch (error) {
    unlock()
    throw error
  }
}

function opened(file: string, migrations: string, unlock: () => void): Store {
  const isNew = !existsSync(file)
  const writer = new Database(file, { create: true })
  for (const pragma of [
    'journal_mode = WAL',
    `busy_timeout = ${BUSY_TIMEOUT_MS}`,
    'foreign_keys = ON',
    `wal_autocheckpoint = ${CHECKPOINT_PAGES}`,
    `cache_size = -${CACHE_KIB}`,
  ])
    writer.run(`PRAGMA ${pragma}`)
  if (!isNew) demandSound(writer)
  migrate(writer, migrations)
  const reader = new Database(file, { readonly: true })
  for (const pragma of [`busy_timeout = ${BUSY_TIMEOUT_MS}`, 'query_only = ON', `cache_size = -${CACHE_KIB}`])
    reader.run(`PRAGMA ${pragma}`)

  const queue = createWriterQueue(writer)
  return {
    read: drizzle(reader, { schema: tables }),
    transact: queue.transact,
    epoch: queue.epoch,
    prepare: (sql) => reader.query(sql) as never,
    close: async () => {
      await queue.drained()
      reader.close()
      writer.run('PRAGMA wal_checkpoint(TRUNCATE)')
      writer.close()
      unlock()
    },
  }
}

const DAMAGED = 'The database file is damaged. Restore a backup; nothing was changed.'

/** SQLite's own words name neither the folder nor what to do. */
function sayingWhy<T>(folder: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    if (/^SQLITE_(NOTADB|CORRUPT)/.test(code)) throw new Error(DAMAGED, { cause })
    if (isStorageTrouble(cause))
      throw new Error(`The data folder ${folder} cannot be written to, or its disk is full; nothing was changed.`, { cause })
    throw cause
  }
}

function demandSound(database: Database): void {
  const [answer] = database.query<{ quick_check: string }, []>('PRAGMA quick_check(1)').all()
  if (answer?.quick_check !== 'ok') throw new Error(DAMAGED)
}

/** drizzle's own `transaction(async …)` commits before an await inside it has run, so the transaction is spelled out here. */
function createWriterQueue(writer: Database) {
  const tx = openWriter(writer)
  const [begin, commit] = [writer.query('BEGIN IMMEDIATE'), writer.query('COMMIT')]
  const inside = new AsyncLocalStorage<true>()
  let last: Promise<unknown> = Promise.resolve()
  let durability: Durability | undefined
  let epoch = 0

  const run = async <T>(work: (tx: Writer) => Promise<T>, wanted: Durability): Promise<T> => {
    try {
      if (durability !== wanted) writer.run(`PRAGMA synchronous = ${wanted === 'full' ? 'FULL' : 'NORMAL'}`)
      durability = wanted
      begin.run()
      const result = await inside.run(true, () => work(tx))
      commit.run()
      return result
    } catch (error) {
      if (writer.inTransaction) writer.run('ROLLBACK')
      throw isStorageTrouble(error) ? new Failure('store_unavailable', { cause: error }) : error
    } finally {
      // After a failure too: a COMMIT that fails late may have reached the file all the same.
      if (wanted === 'full') epoch += 1
    }
  }

  const transact = <T>(work: (tx: Writer) => Promise<T>, wanted: Durability = 'full'): Promise<T> => {
    // Waiting for the queue from inside the queue would wait for ever.
    if (inside.getStore()) throw new Error('transact was called inside transact')
    const mine = last.then(() => run(work, wanted))
    last = mine.catch(() => undefined)
    return mine
  }
  return { transact, epoch: () => epoch, drained: () => last }
}

function openWriter(writer: Database): Writer {
  const prepare = (sql: string) => {
    if (!writer.inTransaction) throw new Error('A statement that writes was prepared outside transact')
    return writer.query(sql) as never
  }
  return Object.assign(drizzle(writer, { schema: tables }), { prepare })
}

const isStorageTrouble = (error: unknown) =>
  error instanceof Error && 'code' in error && /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN)/.test(String(error.code))
