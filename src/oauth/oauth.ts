import { lt, lte } from 'drizzle-orm'
import { DAY_MS } from '@/lib/clock.ts'
import { assertions, authorizationRequests, codes, deviceCodes, pushedRequests, tokens } from '@/store'
import { createAuthenticate } from './client-auth.ts'
import { createDevices } from './devices.ts'
import { createExplain } from './explain.ts'
import { createExtending } from './extending.ts'
import { createIntrospect } from './introspect.ts'
import type { Deps } from './needs.ts'
import { createPushed } from './pushed.ts'
import { createRequests } from './requests.ts'
import { createScripts } from './scripts.ts'
import { createTokenEndpoint } from './token.ts'
import { createVerify } from './verify.ts'

export type Oauth = ReturnType<typeof createOauth>

/** Used codes are kept a while, so that a late replay is still known for what it is. */
const CODES_KEPT_MS = DAY_MS

export function createOauth(deps: Deps) {
  const authenticate = createAuthenticate(deps)
  const pushed = createPushed(deps, authenticate)
  const { beginDevice: askForDevice, poll, ...devices } = createDevices(deps, authenticate)
  return {
    ...createRequests(deps, { pushed, devices }),
    ...createTokenEndpoint(deps, { authenticate, poll }),
    ...createScripts(deps),
    ...createExtending(deps),
    push: pushed.push,
    askForDevice,
    introspect: createIntrospect(deps, authenticate),
    verify: createVerify(deps),
    explain: createExplain(deps),
    /** Forgets what has expired. */
    async sweep(): Promise<void> {
      const now = deps.clock()
      await deps.store.transact(async (tx) => {
        await tx.delete(authorizationRequests).where(lte(authorizationRequests.expiresAt, now))
        await tx.delete(pushedRequests).where(lte(pushedRequests.expiresAt, now))
        await tx.delete(deviceCodes).where(lt(deviceCodes.expiresAt, now - CODES_KEPT_MS))
        await tx.delete(assertions).where(lte(assertions.expiresAt, now))
        await tx.delete(codes).where(lt(codes.expiresAt, now - CODES_KEPT_MS))
        await tx.delete(tokens).where(lte(tokens.expiresAt, now))
      })
    },
  }
}
