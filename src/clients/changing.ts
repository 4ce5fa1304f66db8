import { and, eq } from 'drizzle-orm'
import { Failure } from '@/lib/failure.ts'
import type { ClientId } from '@/lib/ids.ts'
import { clients } from '@/store'
import type { Actor } from '@/users'
import { describe } from './metadata.ts'
import { byActor } from './policy.ts'
import { about, type Deps } from './types.ts'

export function createChanging({ store, audit, changes }: Pick<Deps, 'store' | 'audit' | 'changes'>) {
  return {
    /**
     * New redirect URIs for a client that an administrator registered. What was granted went to the old ones, so it ends.
     * @throws Failure `client_not_found`, OAuthProblem `invalid_redirect_uri`
     */
    async setRedirects(by: Actor, id: ClientId, redirectUris: readonly string[]): Promise<void> {
      const isRegistered = and(eq(clients.id, id), eq(clients.kind, 'registered'))
      await store.transact(async (tx) => {
        const [client] = await tx.select().from(clients).where(isRegistered)
        if (!client) throw new Failure('client_not_found')
        const described = describe({ ...client.metadata, redirect_uris: [...new Set(redirectUris)] })
        await tx.update(clients).set(described).where(isRegistered)
        await audit.report({ kind: 'admin', action: 'client.update', outcome: 'ok', ...byActor(by), ...about(client) }, tx)
      })
      changes.announce({ kind: 'client-changed', clientId: id })
    },
  }
}
