/**
 * Sealed columns (STANDARDS §4): a key that lives outside the database wraps data keys by id; a data key seals values with
 * AES-256-GCM, bound to `table|row|column|owner|key id|version`, so that a sealed value copied to another row does not open.
 */
import { deriveKey, randomText, seal, sha256, unseal } from '../lib/crypto.ts'
import type { Store } from './open.ts'
import { dataKeys, facts } from './tables/index.ts'

export type Place = { table: string; row: string; column: string; owner: string; version: number }
export type Sealed = { bytes: Buffer; key: string }
export type Sealer = {
  seal(plain: string, place: Place): Sealed
  /** Throws when the value was moved, altered or sealed with a key that is gone. */
  open(sealed: Sealed, place: Place): string
  /** A key for one purpose (HMAC of refresh chains, signatures of state), from the same root. */
  keyFor(purpose: string): Buffer
}

const CANARY = 'encryption-canary'
const KEY_BYTES = 32

const boundTo = (key: string, place: Place) => [place.table, place.row, place.column, place.owner, key, place.version].join('|')
const wrapBinding = (id: string) => `data_keys|${id}`

/**
 * Proves that the key fits this database, and makes the first data key in a new one.
 * Throws a sentence for the terminal when it does not fit: starting with the wrong key would look like lost credentials.
 */
export async function openKeys(store: Store, rootKey: Uint8Array): Promise<Sealer> {
  if (rootKey.length !== KEY_BYTES) throw new Error(`The encryption key must be ${KEY_BYTES} bytes.`)
  const wrapping = deriveKey(rootKey, 'toolpass data key wrapping v1')
  const canary = sha256(deriveKey(rootKey, 'toolpass canary v1'))
  await store.transact(async (tx) => {
    const known = await tx.query.facts.findFirst({ where: (fact, { eq }) => eq(fact.name, CANARY) })
    if (known && known.value !== canary)
      throw new Error('The encryption key does not fit this database. Give the key that it was made with; nothing was changed.')
    if (known) return
    await tx.insert(facts).values({ name: CANARY, value: canary })
    const id = randomText(8)
    const wrapped = seal(wrapping, crypto.getRandomValues(new Uint8Array(KEY_BYTES)), wrapBinding(id))
    await tx.insert(dataKeys).values({ id, wrapped, createdAt: Date.now() })
  })
  const keys = new Map<string, Buffer>()
  let current = ''
  for (const row of await store.read.query.dataKeys.findMany({ orderBy: (key, { asc }) => asc(key.createdAt) })) {
    keys.set(row.id, unseal(wrapping, row.wrapped, wrapBinding(row.id)))
    if (row.retiredAt === null) current = row.id
  }
  const demand = (id: string) => {
    const key = keys.get(id)
    if (!key) throw new Error(`The data key ${id} is not in this database.`)
    return key
  }
  return {
    seal: (plain, place) => ({ bytes: seal(demand(current), plain, boundTo(current, place)), key: current }),
    open: (sealed, place) => unseal(demand(sealed.key), sealed.bytes, boundTo(sealed.key, place)).toString('utf8'),
    keyFor: (purpose) => deriveKey(rootKey, `toolpass ${purpose} v1`),
  }
}
