/**
 * What `apply` made itself, by id: only that may be taken away by `--prune`. Beside the database, since no room asks for it;
 * without the file nothing is pruned.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { Failure } from '@/lib/failure.ts'
import { parseJson } from '@/lib/json.ts'

const ids = z.array(z.string()).default([])
const Made = z.object({ users: ids, connections: ids, profiles: ids, clients: ids })
export type Kind = keyof z.output<typeof Made>

export type MadeList = ReturnType<typeof openMade>

/** @throws Failure when the file is there and cannot be read: forgetting what was made would be silent. */
export function openMade(dataDir: string) {
  const path = join(dataDir, 'applied.json')
  const made = read(path)
  const write = () => {
    writeFileSync(`${path}.new`, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }
  return {
    ids: (kind: Kind): readonly string[] => made[kind],
    add(kind: Kind, id: string): void {
      made[kind].push(id)
      write()
    },
    drop(kind: Kind, id: string): void {
      made[kind] = made[kind].filter((each) => each !== id)
      write()
    },
  }
}

function read(path: string): z.output<typeof Made> {
  if (!existsSync(path)) return Made.parse({})
  try {
    return Made.parse(parseJson(readFileSync(path, 'utf8')))
  } catch {
    throw new Failure('bad_request', {
      message: `${path} cannot be read. It lists what apply made; put it back, or take it away and nothing made so far is pruned.`,
    })
  }
}
