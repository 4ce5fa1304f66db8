/** Many clients at once, for people to look through: without what is large, and no more of them than a page shows. */
import { and, desc, eq, getTableColumns, isNotNull, isNull, ne, or, type SQL, sql } from 'drizzle-orm'
import type { ClientId, UserId } from '@/lib/ids.ts'
import { clients } from '@/store'
import type { Admission, Admits } from './policy.ts'
import type { Client, Deps } from './types.ts'

const { jwks: _keys, metadata: _said, secretHash: _secret, registrationHash: _token, ...SHOWN } = getTableColumns(clients)
export type ListedClient = Pick<Client, keyof typeof SHOWN>

export type Wanted = {
  q?: string | undefined
  /** Undefined for all, but of access tokens only those that are alive. */
  kind?: Client['kind'] | undefined
  state?: Admission | undefined
  alive: readonly ClientId[]
  start: number
  rows: number
}

export function createListing({ store, policy }: Pick<Deps, 'store'> & { policy(): Promise<Admits> }) {
  const count = (where: SQL | undefined) => store.read.$count(clients, where)
  return {
    /** The oldest first. @param createdBy those that this user made alone */
    list: (createdBy?: UserId): Promise<ListedClient[]> =>
      store.read
        .select(SHOWN)
        .from(clients)
        .where(createdBy && eq(clients.createdBy, createdBy))
        .orderBy(clients.createdAt),
    /** The newest first, with how many there are and how many wait for an administrator. */
    async page({ q, kind, state, alive, start, rows }: Wanted): Promise<{ found: ListedClient[]; total: number; waiting: number }> {
      const admits = await policy()
      const fits = and(isShown(kind, alive), state && isIn(state, admits), q === undefined ? undefined : isLike(q))
      const found = store.read.select(SHOWN).from(clients).where(fits).orderBy(desc(clients.createdAt)).limit(rows).offset(start)
      const [list, total, waiting] = await Promise.all([found, count(fits), count(isIn('waits', admits))])
      return { found: list, total, waiting }
    },
  }
}

// One parameter, however many there are.
const isOneOf = (ids: readonly ClientId[]) => sql`${clients.id} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`

const isShown = (kind: Wanted['kind'], alive: readonly ClientId[]) =>
  kind === undefined ? or(ne(clients.kind, 'script'), isOneOf(alive)) : eq(clients.kind, kind)

const isLike = (q: string) =>
  or(...[clients.name, clients.identifier, clients.redirectUris].map((text) => sql`instr(lower(${text}), lower(${q})) > 0`))

/** `admissionOf`, as a condition. */
function isIn(state: Admission, admits: Admits): SQL | undefined {
  if (state === 'blocked') return isNotNull(clients.blockedAt)
  const isOpen = isNull(clients.blockedAt)
  const isMadeHere = or(eq(clients.kind, 'registered'), eq(clients.kind, 'script'))
  const isAdmitted = admits === 'everyone' ? sql`true` : or(isMadeHere, isNotNull(clients.approvedAt))
  if (state === 'admitted') return and(isOpen, isAdmitted)
  return admits === (state === 'waits' ? 'approved' : 'listed') ? and(isOpen, sql`NOT ${isAdmitted}`) : sql`false`
}
