import type { GrantId, ProfileId } from '@/lib/ids.ts'
import type { Log } from '@/lib/log.ts'
import type { Sealer } from '@/store'
import { type CallDeps, createCallTool } from './call.ts'
import { createEntrance, type EntranceDeps } from './caller.ts'
import { createServe } from './endpoint.ts'
import { createLegacy } from './legacy.ts'
import { createModern } from './modern.ts'
import { createServing } from './serving.ts'
import { createCalls, createListeners } from './streams.ts'

type Deps = Omit<EntranceDeps & CallDeps, 'profiles' | 'clients'> & {
  profiles: EntranceDeps['profiles'] & CallDeps['profiles']
  clients: EntranceDeps['clients'] & CallDeps['clients']
  log: Log
  sealer: Pick<Sealer, 'keyFor'>
}

export function createGateway(deps: Deps) {
  const calls = createCalls()
  const listeners = createListeners()
  const serving = createServing({ ...deps, calls, callTool: createCallTool(deps) })
  const legacy = createLegacy({ serving, calls, listeners, sessionKey: deps.sealer.keyFor('legacy session') })
  const modern = createModern({ serving, listeners })
  return {
    serve: createServe({ entrance: createEntrance(deps), legacy, modern, log: deps.log }),
    /** The grant has ended: its streams close and its calls are cancelled, upstream too. */
    endOf(grantId: GrantId): void {
      listeners.endOf(grantId)
      calls.endOf(grantId)
    },
    /** Grants with an open stream or a call under way. */
    open: (): GrantId[] => [...new Set([...listeners.grants(), ...calls.grants()])],
    /** What the profile serves has changed; apps with an open stream are told to list again. */
    profileChanged: (profileId: ProfileId): void => listeners.tellProfile(profileId),
    grantChanged: (grantId: GrantId): void => listeners.tellGrant(grantId),
    close(): void {
      listeners.close()
      calls.close()
    },
  }
}

export type Gateway = ReturnType<typeof createGateway>
