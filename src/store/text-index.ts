import { Database } from 'bun:sqlite'

export type Indexed = { id: string; name: string; description: string; parameters: string }
export type TextIndex = { search(query: string, limit: number): string[]; close(): void }

const WORDS_MAX = 24
/** How much a hit in the name, the description and the parameters counts. */
const WEIGHTS = [0, 10, 3, 2]

/**
 * A full-text index in memory, made from rows and thrown away with them (SQLite FTS5, BM25). A query is words, never FTS5's own
 * language; each may be the beginning of one.
 */
export function createTextIndex(rows: readonly Indexed[]): TextIndex {
  const database = new Database(':memory:')
  database.run(`CREATE VIRTUAL TABLE found USING fts5(id UNINDEXED, name, description, parameters, tokenize = 'porter unicode61')`)
  const insert = database.prepare('INSERT INTO found (id, name, description, parameters) VALUES (?, ?, ?, ?)')
  database.transaction(() => {
    for (const { id, name, description, parameters } of rows) insert.run(id, inWords(name), description, inWords(parameters))
  })()
  const select = database.prepare<{ id: string }, [string, number]>(
    `SELECT id FROM found WHERE found MATCH ? ORDER BY bm25(found, ${WEIGHTS.join(', ')}), rowid LIMIT ?`,
  )
  return {
    search(query, limit) {
      const words = [
        ...new Set(
          inWords(query)
            .toLowerCase()
            .match(/[\p{L}\p{N}]+/gu) ?? [],
        ),
      ].slice(0, WORDS_MAX)
      if (words.length === 0) return []
      return select.all(words.map((word) => `"${word}"*`).join(' OR '), limit).map(({ id }) => id)
    },
    close: () => database.close(),
  }
}

/** `listPull_requests` is found by each of its words, and as it is. */
const inWords = (text: string): string => `${text} ${text.replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1 $2').replace(/[_\-./]+/g, ' ')}`
