/** The public keys with which a client proves itself (`private_key_jwt`, RFC 7523). */
import { and, eq } from 'drizzle-orm'
import type { JSONWebKeySet } from 'jose'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '@/lib/clock.ts'
import type { ClientId } from '@/lib/ids.ts'
import { JsonError, parseJson } from '@/lib/json.ts'
import { OutboundError } from '@/lib/outbound.ts'
import { clients } from '@/store'
import type { Copies } from './copies.ts'
import type { Rest } from './flood.ts'
import { KeySet } from './metadata.ts'
import { OAuthProblem } from './problem.ts'
import type { Client, Deps } from './types.ts'

const LIMITS = { privateAllowed: false, redirectsMax: 0, timeoutMs: 5 * SECOND_MS, bodyBytesMax: 64 * 1024 }
const FRESH_MS = HOUR_MS
/** An unknown key makes us look again, and an attacker can name unknown keys without end. */
const AGAIN_AFTER_MS = MINUTE_MS

type Needs = Pick<Deps, 'store' | 'clock' | 'outbound'> & {
  rest: Rest
  copies: Copies
  findById(id: ClientId): Promise<Client | undefined>
}

export function createKeys({ store, clock, outbound, rest, copies, findById }: Needs) {
  const fetching = new Map<ClientId, Promise<JSONWebKeySet | undefined>>()
  const isOlder = (at: number | null, ageMs: number) => at === null || clock() - at >= ageMs

  /** Undefined when its host gives no keys; those that we hold stay good then. */
  async function fetchKeys({ id, createdFrom, jwks: held }: Client, address: string): Promise<JSONWebKeySet | undefined> {
    const asked = { address, from: createdFrom, hasCopy: held !== null }
    if (await rest.isResting(asked)) return undefined
    const jwks = await readKeys(outbound, address)
    if (!jwks) {
      await rest.failed(asked)
      return undefined
    }
    // The client can have moved its keys while the old address was answering.
    const isSame = and(eq(clients.id, id), eq(clients.jwksUri, address))
    await store.transact((tx) => tx.update(clients).set({ jwks, jwksFetchedAt: clock() }).where(isSame))
    return jwks
  }
  /** Keys in a document, or the address where they are, change with the document. Undefined when it was taken back. */
  async function currentCopy(client: Client, again: boolean): Promise<Client | undefined> {
    if (client.kind !== 'document') return client
    const isDue = (client.freshUntil ?? 0) <= clock() || (again && client.jwksUri === null && isOlder(client.fetchedAt, AGAIN_AFTER_MS))
    if (!isDue) return client
    return copies.refresh(client.identifier, client, client.createdFrom).catch((error) => {
      if (error instanceof OAuthProblem) return undefined
      throw error
    })
  }

  return {
    /** The keys of a client that proves itself with one. @param options.again those of before did not hold the one it named */
    async keysOf(client: Client, { again = false }: { again?: boolean } = {}): Promise<JSONWebKeySet | undefined> {
      // The caller's row can be older than what the first of its two questions has fetched.
      const row = await findById(client.id)
      const current = row && (await currentCopy(row, again))
      if (current?.authMethod !== 'private_key_jwt') return undefined
      const held = current.jwks ?? undefined
      const { id, jwksUri, jwksFetchedAt } = current
      if (jwksUri === null || !isOlder(jwksFetchedAt, again ? AGAIN_AFTER_MS : FRESH_MS)) return held
      const work = fetching.get(id) ?? fetchKeys(current, jwksUri).finally(() => fetching.delete(id))
      fetching.set(id, work)
      return (await work) ?? held
    },
  }
}

async function readKeys(outbound: Deps['outbound'], address: string): Promise<JSONWebKeySet | undefined> {
  try {
    const answer = await outbound.fetch(address, { ...LIMITS, headers: { accept: 'application/json' } })
    const text = await answer.text()
    const read = answer.status === 200 ? KeySet.safeParse(parseJson(text)) : undefined
    return read?.success ? (read.data as JSONWebKeySet) : undefined
  } catch (error) {
    if (error instanceof OutboundError || error instanceof JsonError) return undefined
    throw error
  }
}
