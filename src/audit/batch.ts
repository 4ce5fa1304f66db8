import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock } from '@/lib/clock.ts'
import type { Sealer, Store } from '@/store'
import { insertChained, type NewRow, valuesOf } from './chain.ts'
import { type Contents, cutAtOnce, HELD_BYTES_MAX, leaveOut, prepare, TOO_MUCH_WAITED, type Waiting } from './contents.ts'
import { insertContents } from './sealing.ts'

const BATCH_DELAY_MS = 50
/** A larger batch shares a commit among more rows, and holds up everything else for longer: 500 rows take some 3 ms. */
const BATCH_ROWS_MAX = 500
/** Rows that nobody waits for, at most. Each takes less than a kilobyte. */
export const HELD_ROWS_MAX = 2_000
const RETRY_DELAY_MS = 250
/** What is larger than this on the wire is cut at once. Whole until its batch it would outlive a collection of garbage or two, and stay until a full one. */
const CUT_FROM_BYTES = 8 * 1024

const bytesOf = (rows: readonly Waiting[]): number => rows.reduce((sum, { bytes }) => sum + bytes, 0)

export type Batch = ReturnType<typeof createBatch>

/**
 * Rows that are written together, since one by one each would cost a commit. A row that somebody waits for is written as
 * soon as the writer is free, and takes along whatever has gathered meanwhile.
 *
 * It fails closed. Once the file cannot be written, every row is waited for, those of calls that only read as well, and the
 * wait ends with the failure of the next attempt: nothing is answered without a trace. What had been answered for before
 * that was known, at most `HELD_ROWS_MAX` rows, is kept and written when there is room again.
 */
export function createBatch({ store, sealer, clock }: { store: Store; sealer: Pick<Sealer, 'seal'>; clock: Clock }) {
  let waiting: Waiting[] = []
  let heldBytes = 0
  let waiters: PromiseWithResolvers<void> | undefined
  let writing: Promise<void> | undefined
  let inFlight = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let isSoon = false
  let trouble: { error: unknown } | undefined
  // A row that comes from inside a transaction must not make the batch look as if it were part of that one.
  const apart = AsyncLocalStorage.snapshot()

  const write = async (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    const rows = waiting
    const told = waiters
    waiting = []
    waiters = undefined
    inFlight = rows.length
    try {
      const preparing = prepare(rows)
      if (preparing) await preparing
      await store.transact(async (tx) => {
        insertContents(tx, sealer, rows)
        await insertChained(
          tx,
          rows.map(({ values }) => values),
        )
      }, 'process')
      heldBytes -= bytesOf(rows)
      trouble = undefined
      told?.resolve()
    } catch (error) {
      trouble = { error }
      // Rows that nobody waits for are among the first of them. The others are kept as far as they fit: their callers hear
      // of a failure, yet what they did may have happened.
      heldBytes -= bytesOf(rows.slice(HELD_ROWS_MAX))
      waiting = [...rows.slice(0, HELD_ROWS_MAX), ...waiting]
      told?.reject(error)
    }
    inFlight = 0
    writing = undefined
    if (waiting.length > 0) schedule()
  }
  const start = (): void => {
    isSoon = false
    if (!writing && waiting.length > 0) writing = apart(write)
  }
  /** After this turn of the loop and the next, in which more calls end: they share one commit, and each is answered sooner than with its own. */
  const schedule = (): void => {
    if (trouble) timer ??= setTimeout(start, RETRY_DELAY_MS).unref()
    else if (!waiters && waiting.length < BATCH_ROWS_MAX) timer ??= setTimeout(start, BATCH_DELAY_MS)
    else if (!isSoon && !writing) {
      isSoon = true
      setImmediate(() => setImmediate(start))
    }
  }
  return {
    /**
     * @param contents what was asked and answered, where its profile keeps it. Where too much waits it is left out, and its row says so:
     * memory stays bounded and calls stay quick.
     * @returns what to wait for before the call is answered; undefined when the row may follow within 50 ms
     */
    write(row: NewRow, isAwaited: boolean, contents?: Contents): Promise<void> | undefined {
      const mustWait = isAwaited || trouble !== undefined || waiting.length + inFlight >= HELD_ROWS_MAX
      const values = valuesOf(row, clock())
      const bytes = contents ? (row.requestBytes ?? 0) + (row.responseBytes ?? 0) : 0
      const hasRoom = heldBytes + bytes <= HELD_BYTES_MAX
      if (!hasRoom) leaveOut(values, TOO_MUCH_WAITED)
      if (hasRoom) heldBytes += bytes
      const kept = contents && hasRoom && bytes >= CUT_FROM_BYTES ? cutAtOnce(contents) : contents
      waiting.push({ values, contents: hasRoom ? kept : undefined, bytes: hasRoom ? bytes : 0, text: undefined, isReady: false })
      if (mustWait) waiters ??= Promise.withResolvers()
      schedule()
      return mustWait ? waiters?.promise : undefined
    },
    /** Throws when the rows that remain cannot be written. */
    async flush(): Promise<void> {
      while (waiting.length > 0 || writing) {
        start()
        await writing
        if (trouble) throw trouble.error
      }
    },
  }
}
