import type { ConnectionId } from '@/lib/ids.ts'

const TAIL_LINES_MAX = 200

/** The last lines that a server wrote, in memory: they may hold anything and are worth nothing tomorrow. */
export function createTails() {
  const tails = new Map<ConnectionId, string[]>()
  return {
    add(id: ConnectionId, line: string): void {
      const tail = tails.get(id) ?? []
      tails.set(id, tail)
      tail.push(line)
      if (tail.length > TAIL_LINES_MAX) tail.shift()
    },
    of: (id: ConnectionId): readonly string[] => tails.get(id) ?? [],
    forget: (id: ConnectionId) => void tails.delete(id),
  }
}
export type Tails = ReturnType<typeof createTails>
