import { asc, eq, inArray } from 'drizzle-orm'
import type { Audit } from '@/audit'
import type { Clock } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import type { Log } from '@/lib/log.ts'
import type { Outbound } from '@/lib/outbound.ts'
import { catalogueEntries, type Store, type Writer } from '@/store'
import type { User } from '@/users'
import { type Entry, isEntry, OWN_META, ownOf, readEntry, titleOf } from './entry.ts'
import { type Faulty, type Read, readList } from './reading.ts'
import shippedJson from './shipped.json' with { type: 'json' }
import { createSources } from './sources.ts'

export type Listed = {
  entry: Entry
  /** `own` was written by an administrator here, `file` and `registry` came in, `shipped` came with the program. */
  origin: 'shipped' | 'own' | 'registry' | 'file'
  /** The address or file it came from; what our own say of themselves stands in the entry. */
  source: string | undefined
  seenAt: number | undefined
}
export type Loaded = { added: number; faulty: Faulty[]; kept: string[] }
type Origin = Exclude<Listed['origin'], 'shipped' | 'own'>

const ROWS_MAX = 20_000
/** Rows for one statement: each is six parameters of the 32,766 that SQLite takes. */
const ROWS_AT_ONCE = 100

/** Checked by a test, so that starting need not. */
const SHIPPED: readonly Listed[] = (shippedJson as unknown as Entry[]).map((entry) => ({
  entry,
  origin: 'shipped',
  source: undefined,
  seenAt: undefined,
}))

type Deps = { store: Store; audit: Audit; clock: Clock; outbound: Pick<Outbound, 'fetch'>; log: Pick<Log, 'warn'> }

/** The rows, laid over what came with the program. */
function createShelf({ store, audit, clock }: Pick<Deps, 'store' | 'audit' | 'clock'>) {
  // Thousands of entries of a registry are not read from the file for each key that is typed into the search.
  let known: Promise<readonly Listed[]> | undefined
  const forget = () => {
    known = undefined
  }
  const told = (tx: Writer, action: string, user: User, subject: string) =>
    audit.report({ kind: 'admin', action: `catalogue.${action}`, outcome: 'ok', userId: user.id, userName: user.username, subject }, tx)

  const read = async (): Promise<readonly Listed[]> => {
    const rows = await store.read.select().from(catalogueEntries).orderBy(asc(catalogueEntries.name))
    const added = new Map<string, Listed>()
    for (const { name, entry, origin, source, seenAt } of rows) {
      const sound = readEntry(entry)
      if (isEntry(sound)) added.set(name, { entry: sound, origin, source, seenAt })
    }
    const shipped = SHIPPED.flatMap((each) => (added.has(each.entry.name) ? [] : [each]))
    for (const { entry } of SHIPPED) {
      const over = added.get(entry.name)
      if (over) added.set(entry.name, { ...over, entry: withOurWords(over.entry, entry) })
    }
    return [...shipped, ...added.values()].toSorted((a, b) => titleOf(a.entry).localeCompare(titleOf(b.entry), 'en'))
  }
  const list = (): Promise<readonly Listed[]> => {
    known ??= read().catch((error) => {
      forget()
      throw error
    })
    return known
  }

  /** @returns names that were left alone, since an administrator wrote them */
  const takeIn = async (reads: readonly Read[], origin: Origin, source: string, user?: User): Promise<string[]> => {
    const kept = await store.transact(async (tx) => {
      const own = await tx.select({ name: catalogueEntries.name }).from(catalogueEntries).where(eq(catalogueEntries.origin, 'own'))
      const ownNames = new Set(own.map(({ name }) => name))
      // The last of a name wins, as in a file that was appended to.
      const current = new Map(reads.filter(({ isLatest }) => isLatest).map((each) => [each.entry.name, each]))
      const names = [...current.keys()].filter((name) => !ownNames.has(name))
      for (const some of chunks(names)) await tx.delete(catalogueEntries).where(inArray(catalogueEntries.name, some))
      const rows = names.flatMap((name) => rowOf(current.get(name) as Read, { origin, source, seenAt: clock(), addedBy: user?.id ?? null }))
      for (const some of chunks(rows)) await tx.insert(catalogueEntries).values(some)
      if ((await tx.$count(catalogueEntries)) > ROWS_MAX)
        throw new Failure('too_many', { message: `The catalogue holds ${ROWS_MAX} entries at most.` })
      if (user) await told(tx, 'load', user, source)
      return [...current.keys()].filter((name) => ownNames.has(name))
    })
    forget()
    return kept
  }
  return { list, takeIn, told, forget }
}

/** What can be connected: entries that came with the program, and those that administrators brought. */
export function createCatalogue(deps: Deps) {
  const { store, clock } = deps
  const { list, takeIn, told, forget } = createShelf(deps)
  const find = async (name: string) => (await list()).find(({ entry }) => entry.name === name)
  const sources = createSources({ ...deps, takeIn: (reads, url) => takeIn(reads, 'registry', url), told, forget })

  return {
    list,
    find,
    async demand(name: string): Promise<Listed> {
      const found = await find(name)
      if (!found) throw new Failure('entry_not_found')
      return found
    },
    /** An entry of one's own, from its JSON. `replaces` is the name it had before. @throws Failure `invalid_form` at `entry` */
    async put(user: User, text: string, replaces?: string): Promise<Entry> {
      const entry = demandOne(text)
      const row = { name: entry.name, origin: 'own' as const, source: 'here', entry, seenAt: clock(), addedBy: user.id }
      await store.transact(async (tx) => {
        if (replaces !== entry.name && (await isTaken(tx, entry.name)))
          throw new Failure('invalid_form', { fields: { entry: `There is an entry “${entry.name}” already. Edit that one.` } })
        if (replaces !== undefined) await tx.delete(catalogueEntries).where(eq(catalogueEntries.name, replaces))
        await tx.delete(catalogueEntries).where(eq(catalogueEntries.name, entry.name))
        await tx.insert(catalogueEntries).values(row)
        await told(tx, replaces === undefined ? 'add' : 'update', user, entry.name)
      })
      forget()
      return entry
    },
    /** One that came with the program comes back by it; it cannot be removed. */
    async remove(user: User, name: string): Promise<void> {
      await store.transact(async (tx) => {
        const gone = await tx.delete(catalogueEntries).where(eq(catalogueEntries.name, name)).returning()
        if (gone.length === 0) throw new Failure('entry_not_found')
        await told(tx, 'remove', user, name)
      })
      forget()
    },
    /** @throws Failure `invalid_form` at `file` when the whole of it is no list; single bad entries are named in the answer */
    async load(user: User, text: string, source: string): Promise<Loaded> {
      const page = readList(text)
      if ('problem' in page) throw new Failure('invalid_form', { fields: { file: page.problem } })
      const kept = page.read.length > 0 ? await takeIn(page.read, 'file', source, user) : []
      return { added: new Set(page.read.map(({ entry }) => entry.name)).size - kept.length, faulty: page.faulty, kept }
    },
    ...sources,
  }
}
export type Catalogue = ReturnType<typeof createCatalogue>

function demandOne(text: string): Entry {
  const page = readList(text)
  const refuse = (problem: string): never => {
    throw new Failure('invalid_form', { fields: { entry: problem } })
  }
  if ('problem' in page) return refuse(page.problem)
  const [fault] = page.faulty
  if (fault) return refuse(fault.problem)
  return page.read.length === 1 && page.read[0] ? page.read[0].entry : refuse('Write one entry here; a list can be loaded from a file.')
}

const isTaken = async (tx: Writer, name: string): Promise<boolean> =>
  (await tx.$count(catalogueEntries, eq(catalogueEntries.name, name))) > 0

/** A registry knows the server; how one gets in, and what to beware of, we wrote down ourselves. */
function withOurWords(entry: Entry, ours: Entry): Entry {
  if (ownOf(entry) || !ownOf(ours)) return entry
  return { ...entry, title: entry.title ?? ours.title, _meta: { ...entry._meta, [OWN_META]: ownOf(ours) } }
}

type Row = typeof catalogueEntries.$inferInsert
const rowOf = ({ entry, status }: Read, more: Omit<Row, 'name' | 'entry'>): Row[] =>
  status === 'deleted' ? [] : [{ ...more, name: entry.name, entry }]

function chunks<Item>(items: readonly Item[]): Item[][] {
  const count = Math.ceil(items.length / ROWS_AT_ONCE)
  return Array.from({ length: count }, (_, at) => items.slice(at * ROWS_AT_ONCE, (at + 1) * ROWS_AT_ONCE))
}
