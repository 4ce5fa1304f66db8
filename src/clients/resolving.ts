/** From what a client calls itself to what is known of it: a row, or a metadata document that is fetched and kept. */
import { eq } from 'drizzle-orm'
import type { Audit, Trace } from '@/audit'
import type { Changes } from '@/lib/changes.ts'
import { type Clock, DAY_MS } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import { newClientId } from '@/lib/ids.ts'
import type { Outbound } from '@/lib/outbound.ts'
import { clients, type Store } from '@/store'
import type { Actor } from '@/users'
import type { Client } from './clients.ts'
import { addressProblem, type Fetched, fetchDocument, isDocumentAddress } from './documents.ts'
import { createFetchTurnstiles } from './flood.ts'
import { byActor } from './policy.ts'
import { OAuthProblem } from './problem.ts'

type Deps = {
  store: Store
  clock: Clock
  audit: Audit
  trace: Pick<Trace, 'note'>
  outbound: Pick<Outbound, 'fetch'>
  changes: Changes
  find(identifier: string): Promise<Client | undefined>
}

const hostOf = (address: string) => URL.parse(address)?.host ?? ''
const resting = () =>
  new OAuthProblem('invalid_client', 'its metadata document could not be used several times in a row; it is tried again in some minutes')

export function createResolving(deps: Deps) {
  const { clock, trace, outbound, find } = deps
  const turnstiles = createFetchTurnstiles()
  const fetching = new Map<string, Promise<Client>>()
  const keep = createKeeping(deps)

  /** One fetch at a time for each document, however many wait for it. */
  const refresh = (address: string, known: Client | undefined, from: string): Promise<Client> => {
    const work = fetching.get(address) ?? fetchAndKeep(address, known, from).finally(() => fetching.delete(address))
    fetching.set(address, work)
    return work
  }
  async function fetchAndKeep(address: string, known: Client | undefined, from: string): Promise<Client> {
    const host = hostOf(address)
    const noted = {
      step: 'document' as const,
      address: from,
      detail: { host },
      ...(known && { clientId: known.id, clientName: known.name }),
    }
    try {
      // A failure is never kept as an answer; it only makes us ask less often.
      if ((await turnstiles.rests(address)) || (await turnstiles.rests(host))) throw resting()
      if (!known) await turnstiles.byAddress(from)
      const client = await keep(address, known, await fetchDocument(outbound, address), from)
      await Promise.all([turnstiles.worked(address), turnstiles.worked(host)])
      trace.note({ ...noted, outcome: 'ok', clientId: client.id, clientName: client.name })
      return client
    } catch (error) {
      if (!(error instanceof OAuthProblem)) throw error
      if (error.status !== 429) await Promise.all([turnstiles.failed(address), turnstiles.failed(host)])
      trace.note({ ...noted, outcome: 'refused', reason: error.description })
      // Some hosts turn servers away; the last good copy stays good meanwhile.
      if (known) return known
      throw error
    }
  }

  return {
    /**
     * By what the client calls itself; a metadata document is fetched when there is no fresh copy of it.
     * @param from the address that asks @throws OAuthProblem `invalid_client` with what is wrong with the document
     */
    async resolve(identifier: string, from: string): Promise<Client | undefined> {
      if (!isDocumentAddress(identifier)) return find(identifier)
      const problem = addressProblem(identifier)
      if (problem) throw new OAuthProblem('invalid_client', problem)
      const known = await find(identifier)
      if (known && (known.freshUntil ?? 0) > clock()) return known
      return refresh(identifier, known, from)
    },
    /** Admits a document beforehand. @throws Failure `invalid_form` */
    async listDocument(by: Actor, address: string): Promise<Client> {
      const url = address.trim()
      const refuse = (sentence: string) =>
        new Failure('invalid_form', { fields: { url: `${sentence[0]?.toUpperCase()}${sentence.slice(1)}.` } })
      const problem = addressProblem(url)
      if (problem) throw refuse(problem)
      const client = await refresh(url, await find(url), 'here').catch((error) => {
        throw error instanceof OAuthProblem ? refuse(error.description) : error
      })
      return deps.store.transact(async (tx) => {
        const [listed] = await tx.update(clients).set({ approvedAt: clock(), expiresAt: null }).where(eq(clients.id, client.id)).returning()
        const about = { clientId: client.id, clientName: client.name, subject: client.name }
        await deps.audit.report({ kind: 'admin', action: 'client.approve', outcome: 'ok', ...byActor(by), ...about }, tx)
        return listed as Client
      })
    },
  }
}

const sameList = (a: readonly string[], b: readonly string[]) => JSON.stringify(a.toSorted()) === JSON.stringify(b.toSorted())

function createKeeping({ store, clock, audit, changes }: Deps) {
  /** The copy that counts from now on. Another set of redirect addresses is another client: what was allowed to the old one ends. */
  return async (address: string, known: Client | undefined, { described, freshForMs }: Fetched, from: string): Promise<Client> => {
    const now = clock()
    const copy = { ...described, name: described.name || hostOf(address), fetchedAt: now, freshUntil: now + freshForMs }
    const client = await store.transact(async (tx) => {
      if (known) return (await tx.update(clients).set(copy).where(eq(clients.id, known.id)).returning())[0]
      const row = { ...copy, id: newClientId(), identifier: address, kind: 'document' as const, secretHash: null, createdAt: now }
      const [inserted] = await tx
        .insert(clients)
        .values({ ...row, createdFrom: from, expiresAt: now + UNUSED_MS })
        .returning()
      const about = { clientId: row.id, clientName: row.name, subject: row.name, address: from }
      await audit.report({ kind: 'auth', action: 'client.document', outcome: 'ok', ...about }, tx)
      return inserted
    })
    if (known && !sameList(known.redirectUris, described.redirectUris)) changes.announce({ kind: 'client-changed', clientId: known.id })
    return client as Client
  }
}
/** A document that no user let in is forgotten after this; it is fetched again when it is named again. */
const UNUSED_MS = 7 * DAY_MS
