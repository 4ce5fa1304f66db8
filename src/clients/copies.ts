/** Our copies of metadata documents: when one is fetched anew, what is kept of it, what stays good while its host refuses. */
import { eq } from 'drizzle-orm'
import { DAY_MS } from '@/lib/clock.ts'
import { newClientId } from '@/lib/ids.ts'
import { clients, type Writer } from '@/store'
import { DocumentUnavailable, type Fetched, fetchDocument } from './documents.ts'
import { createFetchTurnstile, type Rest } from './flood.ts'
import { OAuthProblem } from './problem.ts'
import { sameRedirects } from './redirects.ts'
import { about, type Client, type Deps } from './types.ts'
import { makeRoom } from './unused.ts'

/** A document that no user let in is forgotten after this; it is fetched again when it is named again. */
const UNUSED_MS = 7 * DAY_MS

const hostOf = (address: string) => URL.parse(address)?.host ?? ''

export type Copies = ReturnType<typeof createCopies>

export function createCopies(deps: Deps & { rest: Rest }) {
  const { store, trace, outbound, rest } = deps
  const pass = createFetchTurnstile()
  const keep = createKeeping(deps)
  const fetching = new Map<string, Promise<Client>>()

  /** The document that is to be had now is a wrong one: its owner took the good one back, and a copy is no copy any more. */
  const withdraw = (address: string) =>
    store.transact(async (tx) => {
      await tx.update(clients).set({ fetchedAt: null, freshUntil: null }).where(eq(clients.identifier, address))
    })

  async function fetchOnce(address: string, known: Client | undefined, from: string): Promise<Client> {
    const asked = { address, from, hasCopy: known !== undefined }
    if (await rest.isResting(asked))
      throw new DocumentUnavailable('its metadata document could not be used of late; try again in ten minutes')
    if (!known) await pass(from)
    try {
      const fetched = await fetchDocument(outbound, address)
      await rest.worked(asked)
      return await keep(address, fetched, from)
    } catch (error) {
      if (error instanceof OAuthProblem) await rest.failed(asked)
      if (known?.fetchedAt && error instanceof OAuthProblem && !(error instanceof DocumentUnavailable)) await withdraw(address)
      throw error
    }
  }

  return {
    /**
     * Fetches it, once however many wait for it.
     * @returns the last good copy where the host gives us no document; one that it gives and that is wrong is not overlooked
     * @throws OAuthProblem `invalid_client` with what is wrong, or one of status 429
     */
    async refresh(address: string, known: Client | undefined, from: string): Promise<Client> {
      const note = (client: Client | undefined, outcome: 'ok' | 'refused', reason?: string) => {
        const whose = client && { clientId: client.id, clientName: client.name }
        trace.note({ step: 'document', outcome, address: from, detail: { host: hostOf(address) }, ...whose, ...(reason && { reason }) })
      }
      const work = fetching.get(address) ?? fetchOnce(address, known, from).finally(() => fetching.delete(address))
      fetching.set(address, work)
      try {
        const client = await work
        note(client, 'ok')
        return client
      } catch (error) {
        if (!(error instanceof OAuthProblem)) throw error
        const isCopyGood = known !== undefined && known.fetchedAt !== null && error instanceof DocumentUnavailable
        note(known, isCopyGood ? 'ok' : 'refused', isCopyGood ? `the last good copy is used: ${error.description}` : error.description)
        if (isCopyGood) return known
        throw error
      }
    },
  }
}

function createKeeping({ store, clock, audit, changes }: Deps) {
  const insert = async (tx: Writer, address: string, copy: ReturnType<typeof columnsOf>, from: string): Promise<Client> => {
    await makeRoom(tx, 'document')
    const row = { ...copy, id: newClientId(), identifier: address, kind: 'document' as const, createdAt: copy.fetchedAt, createdFrom: from }
    const [inserted] = await tx
      .insert(clients)
      .values({ ...row, expiresAt: copy.fetchedAt + UNUSED_MS })
      .returning()
    await audit.report({ kind: 'auth', action: 'client.document', outcome: 'ok', ...about(row), address: from }, tx)
    return inserted as Client
  }
  const update = async (tx: Writer, before: Client, copy: ReturnType<typeof columnsOf>): Promise<Client> => {
    const values = {
      ...copy,
      ...fetchedKeys(before, copy),
      expiresAt: before.expiresAt === null ? null : copy.fetchedAt + UNUSED_MS,
    }
    const [updated] = await tx.update(clients).set(values).where(eq(clients.id, before.id)).returning()
    return updated as Client
  }
  return async (address: string, fetched: Fetched, from: string): Promise<Client> => {
    const copy = columnsOf(address, fetched, clock())
    const [before, after] = await store.transact(async (tx) => {
      // Read anew: it may have been removed, or come back, while the host was answering.
      const [kept] = await tx.select().from(clients).where(eq(clients.identifier, address))
      return [kept, kept ? await update(tx, kept, copy) : await insert(tx, address, copy, from)] as const
    })
    if (before && !sameRedirects(before.redirectUris, after.redirectUris)) changes.announce({ kind: 'client-changed', clientId: after.id })
    return after
  }
}

const columnsOf = (address: string, { described, freshForMs }: Fetched, now: number) => ({
  ...described,
  name: described.name || hostOf(address),
  fetchedAt: now,
  freshUntil: now + freshForMs,
})

/** Keys that were fetched from an address stay as long as the address does. */
export const fetchedKeys = (before: Client, { jwks, jwksUri }: Pick<Client, 'jwks' | 'jwksUri'>) =>
  jwksUri !== null && jwksUri === before.jwksUri
    ? { jwks: before.jwks, jwksFetchedAt: before.jwksFetchedAt }
    : { jwks, jwksFetchedAt: null }
