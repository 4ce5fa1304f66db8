/** From what a client calls itself to what is known of it: a row, or a metadata document that is fetched and kept. */
import { and, eq, gt, isNull, ne, or } from 'drizzle-orm'
import { equal, sha256 } from '@/lib/crypto.ts'
import { Failure } from '@/lib/failure.ts'
import type { ClientId } from '@/lib/ids.ts'
import { clients } from '@/store'
import type { Actor } from '@/users'
import type { Copies } from './copies.ts'
import { addressProblem, isDocumentAddress } from './documents.ts'
import { byActor } from './policy.ts'
import { OAuthProblem } from './problem.ts'
import { about, type Client, type Deps } from './types.ts'

export function createFinding({ store, clock }: Pick<Deps, 'store' | 'clock'>) {
  const isKnown = () => or(isNull(clients.expiresAt), gt(clients.expiresAt, clock()))
  return {
    /** By what the client calls itself, without asking anybody; those that expired unused are gone. */
    find: async (identifier: string): Promise<Client | undefined> =>
      (
        await store.read
          .select()
          .from(clients)
          .where(and(eq(clients.identifier, identifier), ne(clients.kind, 'script'), isKnown()))
      )[0],
    findById: async (id: ClientId): Promise<Client | undefined> => (await store.read.select().from(clients).where(eq(clients.id, id)))[0],
    /** Whether this secret is the client's. A client without one knows none. */
    knowsSecret: (client: Client, secret: string): boolean => client.secretHash !== null && equal(client.secretHash, sha256(secret)),
  }
}

const sentence = (text: string) => `${text[0]?.toUpperCase()}${text.slice(1)}.`

type Needs = Pick<Deps, 'store' | 'clock' | 'audit'> & { copies: Copies; find(identifier: string): Promise<Client | undefined> }

export function createResolving({ store, clock, audit, copies, find }: Needs) {
  return {
    /**
     * By what the client calls itself; a metadata document is fetched when there is no fresh copy of it.
     * @param from the address that asks
     * @throws OAuthProblem `invalid_client` with what is wrong with the document, or one of status 429
     */
    async resolve(identifier: string, from: string): Promise<Client | undefined> {
      if (!isDocumentAddress(identifier)) return find(identifier)
      const problem = addressProblem(identifier)
      if (problem) throw new OAuthProblem('invalid_client', problem)
      const known = await find(identifier)
      const isGood = known && ((known.freshUntil ?? 0) > clock() || known.blockedAt !== null)
      return isGood ? known : copies.refresh(identifier, known, from)
    },
    /** Admits a document beforehand. @throws Failure `invalid_form` (field url) */
    async listDocument(by: Actor, url: string): Promise<Client> {
      const refuse = (problem: string) => new Failure('invalid_form', { fields: { url: sentence(problem) } })
      const problem = addressProblem(url)
      if (problem) throw refuse(problem)
      const from = by === 'command line' ? by : by.username
      const client = await copies.refresh(url, await find(url), from).catch((error) => {
        throw error instanceof OAuthProblem ? refuse(error.description) : error
      })
      return store.transact(async (tx) => {
        const admitted = { approvedAt: clock(), expiresAt: null }
        const [listed] = await tx.update(clients).set(admitted).where(eq(clients.id, client.id)).returning()
        if (!listed) throw new Failure('client_not_found')
        await audit.report({ kind: 'admin', action: 'client.approve', outcome: 'ok', ...byActor(by), ...about(listed) }, tx)
        return listed
      })
    },
  }
}
