/**
 * Registries that an administrator chose to follow: read through the guarded way out, hourly at most, only what is newer, page
 * by page up to a limit. What went wrong is kept beside the source, for the page.
 */
import { asc, eq } from 'drizzle-orm'
import { type Clock, HOUR_MS, MINUTE_MS, SECOND_MS } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import type { Log } from '@/lib/log.ts'
import { type Outbound, OutboundError } from '@/lib/outbound.ts'
import { catalogueEntries, catalogueSources, type Store, type Writer } from '@/store'
import type { User } from '@/users'
import { type Read, readList } from './reading.ts'

export type Source = typeof catalogueSources.$inferSelect
type Deps = {
  store: Store
  clock: Clock
  outbound: Pick<Outbound, 'fetch'>
  log: Pick<Log, 'warn'>
  takeIn(reads: readonly Read[], url: string): Promise<string[]>
  told(tx: Writer, action: string, user: User, subject: string): Promise<unknown> | unknown
  forget(): void
}

const SOURCES_MAX = 10
const PAGE_ENTRIES = 100
const PAGES_MAX = 200
const PAGE_BYTES_MAX = 8 * 1024 * 1024
const PAGE_TIMEOUT_MS = 20 * SECOND_MS
const READ_EVERY_MS = HOUR_MS
/** After one that failed. */
const RETRY_MS = MINUTE_MS

function createReader({ store, clock, outbound, takeIn }: Pick<Deps, 'store' | 'clock' | 'outbound' | 'takeIn'>) {
  const etags = new Map<string, string>()

  const list = (): Promise<Source[]> => store.read.select().from(catalogueSources).orderBy(asc(catalogueSources.url))
  const note = (url: string, seen: Partial<Source>) =>
    store.transact(async (tx) => {
      await tx.update(catalogueSources).set(seen).where(eq(catalogueSources.url, url))
    })

  async function readPage(url: string, query: URLSearchParams, etag: string | undefined) {
    const answer = await outbound.fetch(`${url}/v0.1/servers?${query}`, {
      headers: { accept: 'application/json', ...(etag ? { 'if-none-match': etag } : {}) },
      // An administrator entered it, and the registry of a company stands in its own network.
      privateAllowed: true,
      timeoutMs: PAGE_TIMEOUT_MS,
      bodyBytesMax: PAGE_BYTES_MAX,
      redirectsMax: 2,
    })
    const text = await answer.text()
    if (answer.status === 304) return undefined
    if (!answer.ok) throw new Failure('upstream_failed', { message: `It answered with status ${answer.status}.` })
    const page = readList(text)
    if ('problem' in page) throw new Failure('upstream_failed', { message: page.problem })
    return { ...page, etag: answer.headers.get('etag') ?? undefined }
  }

  /** Page after page, up to the limit. */
  async function* pagesOf({ url, updatedSince }: Source) {
    const query = new URLSearchParams({ limit: String(PAGE_ENTRIES), version: 'latest' })
    if (updatedSince) query.set('updated_since', updatedSince)
    const first = `${url}?${query}`
    for (let at = 0; at < PAGES_MAX; at += 1) {
      const page = await readPage(url, query, at === 0 ? etags.get(first) : undefined)
      if (!page) return
      if (at === 0 && page.etag) etags.set(first, page.etag)
      yield page
      if (!page.nextCursor || page.nextCursor === query.get('cursor')) return
      query.set('cursor', page.nextCursor)
    }
    throw new Failure('too_many', { message: `It goes on after ${PAGES_MAX} pages; the rest was left out.` })
  }

  /** Each page is kept as it comes: what is read before a failure is not lost. @returns how many entries came */
  async function readAll(source: Source): Promise<number> {
    const { url } = source
    const startedAt = new Date(clock()).toISOString()
    let newest = source.updatedSince
    let count = 0
    for await (const { read } of pagesOf(source)) {
      // Somebody stopped following it in the meantime.
      if (!(await list()).some((each) => each.url === url)) return count
      await takeIn(read, url)
      count += read.length
      for (const { updatedAt } of read) newest = later(updatedAt, newest)
    }
    // A registry that tells no times is asked for what changed since we began.
    await note(url, { syncedAt: clock(), updatedSince: newest ?? startedAt, problem: null })
    return count
  }

  const forgetEtags = (url: string) => {
    for (const key of [...etags.keys()]) if (key.startsWith(`${url}?`)) etags.delete(key)
  }
  return { list, note, readAll, forgetEtags }
}

export function createSources(deps: Deps) {
  const { store, clock, log, told, forget } = deps
  const { list, note, readAll, forgetEtags } = createReader(deps)
  const triedAt = new Map<string, number>()
  const running = new Map<string, Promise<number>>()

  const sync = (source: Source): Promise<number> => {
    const under = running.get(source.url)
    if (under) return under
    triedAt.set(source.url, clock())
    const reading = readAll(source)
      .catch(async (error) => {
        const problem = sentenceOf(error)
        log.warn('a registry could not be read', { registry: new URL(source.url).host, problem })
        await note(source.url, { problem })
        throw new Failure('upstream_failed', { message: problem, cause: error })
      })
      .finally(() => running.delete(source.url))
    running.set(source.url, reading)
    return reading
  }

  const waitMs = ({ url, syncedAt }: Source): number =>
    Math.max((syncedAt ?? 0) + READ_EVERY_MS, (triedAt.get(url) ?? 0) + RETRY_MS) - clock()

  return {
    sources: list,
    /** @throws Failure `invalid_form` at `url` */
    async follow(user: User, address: string): Promise<Source> {
      const url = demandAddress(address)
      const source = await store.transact(async (tx) => {
        const known = await tx.select().from(catalogueSources)
        if (known.some((each) => each.url === url))
          throw new Failure('invalid_form', { fields: { url: 'This registry is followed already.' } })
        if (known.length >= SOURCES_MAX) throw new Failure('too_many', { message: `${SOURCES_MAX} registries can be followed at most.` })
        const [row] = await tx.insert(catalogueSources).values({ url, addedAt: clock() }).returning()
        await told(tx, 'follow', user, url)
        return row as Source
      })
      return source
    },
    /** Its entries go with it. */
    async unfollow(user: User, url: string): Promise<void> {
      await store.transact(async (tx) => {
        const gone = await tx.delete(catalogueSources).where(eq(catalogueSources.url, url)).returning()
        if (gone.length === 0) throw new Failure('entry_not_found', { message: 'This registry is not followed.' })
        await tx.delete(catalogueEntries).where(eq(catalogueEntries.source, url))
        await told(tx, 'unfollow', user, url)
      })
      forgetEtags(url)
      triedAt.delete(url)
      forget()
    },
    /** How many entries came. @throws Failure `slow_down`, `upstream_failed` */
    async syncNow(url: string): Promise<number> {
      const source = (await list()).find((each) => each.url === url)
      if (!source) throw new Failure('entry_not_found', { message: 'This registry is not followed.' })
      const wait = waitMs(source)
      if (wait > 0 && !running.has(url))
        throw new Failure('slow_down', {
          message: source.problem ? 'It was asked a moment ago. Wait a minute.' : 'A registry is read once an hour at most.',
          retryAfterSeconds: Math.ceil(wait / SECOND_MS),
        })
      return sync(source)
    },
    /** Reads those whose hour is over; what fails is noted beside the source. */
    async syncDue(): Promise<void> {
      for (const source of await list()) if (waitMs(source) <= 0) await sync(source).catch(() => undefined)
    },
  }
}

const later = (time: string | undefined, than: string | null): string | null =>
  time !== undefined && Date.parse(time) > Date.parse(than ?? '1970-01-01') ? time : than

const sentenceOf = (error: unknown): string =>
  error instanceof Failure || error instanceof OutboundError ? error.message : 'It could not be read.'

/** The address of the registry itself: what follows it (`/v0.1/servers`) is ours to add. */
function demandAddress(address: string): string {
  const url = URL.parse(address.trim().replace(/\/v0(\.1)?(\/servers)?\/?$/, ''))
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    throw new Failure('invalid_form', { fields: { url: 'Enter an http or https address, such as https://registry.example.com.' } })
  return url.origin + url.pathname.replace(/\/+$/, '')
}
