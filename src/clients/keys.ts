/** The public keys with which a client proves itself (`private_key_jwt`, RFC 7523). */
import { eq } from 'drizzle-orm'
import type { JSONWebKeySet } from 'jose'
import { z } from 'zod'
import { type Clock, HOUR_MS, MINUTE_MS, SECOND_MS } from '@/lib/clock.ts'
import type { ClientId } from '@/lib/ids.ts'
import { parseJson } from '@/lib/json.ts'
import type { Outbound } from '@/lib/outbound.ts'
import { clients, type Store } from '@/store'
import type { Client } from './clients.ts'

const LIMITS = { privateAllowed: false, redirectsMax: 0, timeoutMs: 5 * SECOND_MS, bodyBytesMax: 64 * 1024 }
const FRESH_MS = HOUR_MS
/** A key id that we do not know makes us look again, this often at most. */
const AGAIN_MS = MINUTE_MS

const KeySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) })

export function createKeys({ store, clock, outbound }: { store: Store; clock: Clock; outbound: Pick<Outbound, 'fetch'> }) {
  const fetching = new Map<ClientId, Promise<JSONWebKeySet | undefined>>()

  /** Undefined while the host does not answer with keys: the caller then uses what it has. */
  async function fetchKeys({ id, jwksUri }: Client): Promise<JSONWebKeySet | undefined> {
    try {
      const answer = await outbound.fetch(jwksUri ?? '', { ...LIMITS, headers: { accept: 'application/json' } })
      const text = await answer.text()
      if (answer.status !== 200) return undefined
      const jwks = KeySet.parse(parseJson(text)) as JSONWebKeySet
      await store.transact((tx) => tx.update(clients).set({ jwks, jwksFetchedAt: clock() }).where(eq(clients.id, id)))
      return jwks
    } catch {
      // A host that is down, slow or talks nonsense: the last good keys stay good.
      await store.transact((tx) => tx.update(clients).set({ jwksFetchedAt: clock() }).where(eq(clients.id, id)))
      return undefined
    }
  }

  return {
    /** @param again look at the client's address once more, because its keys do not hold the one that is named */
    async keysOf(client: Client, { again = false }: { again?: boolean } = {}): Promise<JSONWebKeySet | undefined> {
      const held = client.jwks ?? undefined
      if (client.jwksUri === null) return held
      const age = clock() - (client.jwksFetchedAt ?? Number.NEGATIVE_INFINITY)
      if (age < (again || held === undefined ? AGAIN_MS : FRESH_MS)) return held
      const work = fetching.get(client.id) ?? fetchKeys(client).finally(() => fetching.delete(client.id))
      fetching.set(client.id, work)
      return (await work) ?? held
    },
  }
}
