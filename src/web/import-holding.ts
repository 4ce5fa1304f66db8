/**
 * What was read from a file, between its preview and the click that makes it: in memory and for minutes, since a page that
 * carried it would carry its secrets, and a row in the database would keep them.
 */
import { type Clock, MINUTE_MS } from '@/lib/clock.ts'
import { randomSecret, sha256 } from '@/lib/crypto.ts'
import type { UserId } from '@/lib/ids.ts'
import type { Import } from '@/connections'

const HELD_MS = 30 * MINUTE_MS
const HELD_MAX = 50
const OF_USER_MAX = 5

type Held = { userId: UserId; read: Import; until: number }

export function createHolding({ clock }: { clock: Clock }) {
  const held = new Map<string, Held>()
  const tidy = () => {
    for (const [key, { until }] of held) if (until <= clock()) held.delete(key)
  }
  return {
    /** @returns what to ask for it with. The oldest gives way: of the same user first. */
    put(userId: UserId, read: Import): string {
      tidy()
      const own = [...held].filter(([, each]) => each.userId === userId)
      if (own.length >= OF_USER_MAX && own[0]) held.delete(own[0][0])
      const [oldest] = held.keys()
      if (held.size >= HELD_MAX && oldest !== undefined) held.delete(oldest)
      const token = randomSecret()
      held.set(sha256(token), { userId, read, until: clock() + HELD_MS })
      return token
    },
    find(userId: UserId, token: string): Import | undefined {
      tidy()
      const found = held.get(sha256(token))
      return found?.userId === userId ? found.read : undefined
    },
    forget(token: string): void {
      held.delete(sha256(token))
    },
  }
}
