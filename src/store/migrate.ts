import type { Database } from 'bun:sqlite'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../lib/crypto.ts'

/**
 * Runs the generated SQL files that this database has not seen, in order, each whole or not at all.
 * Throws when a file that already ran has changed since, or when the database is newer than this program: both would
 * otherwise damage data quietly.
 */
export function migrate(database: Database, folder: string): void {
  database.run('CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, hash TEXT NOT NULL, at INTEGER NOT NULL)')
  const done = new Map(
    database
      .query<{ name: string; hash: string }, []>('SELECT name, hash FROM migrations')
      .all()
      .map((row) => [row.name, row.hash]),
  )
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
  for (const name of done.keys())
    if (!files.includes(name))
      throw new Error(`The database was made by a newer Toolpass (it has ${name}). Start that version, or restore a backup.`)
  for (const name of files) {
    const sql = readFileSync(join(folder, name), 'utf8')
    const hash = sha256(sql)
    const before = done.get(name)
    if (before === hash) continue
    if (before !== undefined) throw new Error(`The migration ${name} is not the one that this database ran.`)
    database.transaction(() => {
      for (const statement of sql.split('--> statement-breakpoint')) if (statement.trim()) database.run(statement)
      database.run('INSERT INTO migrations (name, hash, at) VALUES (?, ?, ?)', [name, hash, Date.now()])
    })()
  }
}
