import { lt, lte } from 'drizzle-orm'
import { DAY_MS } from '@/lib/clock.ts'
import { authorizationRequests, codes, tokens } from '@/store'
import type { Deps } from './needs.ts'
import { createRequests } from './requests.ts'
import { createTokenEndpoint } from './token.ts'
import { createVerify } from './verify.ts'

export type Oauth = ReturnType<typeof createOauth>

/** Used codes are kept a while, so that a late replay is still known for what it is. */
const CODES_KEPT_MS = DAY_MS

export function createOauth(deps: Deps) {
  return {
    ...createRequests(deps),
    ...createTokenEndpoint(deps),
    verify: createVerify(deps),
    /** Forgets what has expired. */
    async sweep(): Promise<void> {
      const now = deps.clock()
      await deps.store.transact(async (tx) => {
        await tx.delete(authorizationRequests).where(lte(authorizationRequests.expiresAt, now))
        await tx.delete(codes).where(lt(codes.expiresAt, now - CODES_KEPT_MS))
        await tx.delete(tokens).where(lte(tokens.expiresAt, now))
      })
    },
  }
}
