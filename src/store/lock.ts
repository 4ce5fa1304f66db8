import { Database } from 'bun:sqlite'
import { join } from 'node:path'

/**
 * One program a data folder. The lock is SQLite's own lock on a file beside the database: the system drops it with the
 * process, kill -9 included, so there is no stale lock to clean up and no process id to mistake.
 * @returns how to let go of it, or undefined when another program holds it.
 */
export function lockFolder(folder: string): (() => void) | undefined {
  const lock = new Database(join(folder, 'lock'), { create: true })
  try {
    lock.run('PRAGMA busy_timeout = 0')
    lock.run('PRAGMA journal_mode = MEMORY')
    lock.run('BEGIN EXCLUSIVE')
    return () => lock.close()
  } catch {
    lock.close()
    return undefined
  }
}
