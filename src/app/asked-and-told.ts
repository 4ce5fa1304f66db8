/** What flows against the staircase to where people are asked and told: approvals that are worth nothing any more, and news for notices. */
import type { Connections } from '../connections/index.ts'
import type { Approvals, Grants } from '../grants/index.ts'
import type { Changes } from '../lib/changes.ts'
import { isFailure } from '../lib/failure.ts'
import type { ConnectionId, GrantId, ProfileId } from '../lib/ids.ts'
import type { Log } from '../lib/log.ts'
import type { Profiles } from '../profiles/index.ts'
import type { Telling } from '../web/index.ts'

type Hearers = {
  changes: Changes
  log: Log
  approvals: Approvals
  telling: Telling
  grants: Pick<Grants, 'idsOfClient' | 'listForUser'>
  profiles: Pick<Profiles, 'view' | 'toolsChanged' | 'forgetViews'>
  connections: Pick<Connections, 'find'>
}

export function passOnToPeople({ changes, log, approvals, telling, grants, profiles, connections }: Hearers): void {
  const quietly = (what: string, work: () => Promise<unknown>) => void work().catch((error) => log.error(`${what} failed`, error))
  /** Undefined for one that was removed meanwhile. */
  const viewOf = (id: ProfileId) =>
    profiles.view(id).catch((error) => (isFailure(error, 'profile_not_found') ? undefined : Promise.reject(error)))
  const ofGrant = ({ grantId }: { grantId: GrantId }) => quietly('ending approvals of a grant', () => approvals.grantChanged(grantId))
  changes.subscribe('grant-ended', ofGrant)
  changes.subscribe('grant-changed', ofGrant)
  changes.subscribe('pauses-changed', () => quietly('ending approvals of what is paused', approvals.pausesChanged))
  changes.subscribe('client-blocked', ({ clientId }) =>
    quietly('ending approvals of a client', async () => approvals.endOfGrants(await grants.idsOfClient(clientId), 'client_blocked')),
  )
  changes.subscribe('user-disabled', ({ userId }) =>
    quietly('ending approvals of a user', async () =>
      approvals.endOfGrants(
        (await grants.listForUser(userId)).map(({ id }) => id),
        'user_disabled',
      ),
    ),
  )
  for (const gone of ['client-removed', 'profile-removed'] as const)
    changes.subscribe(gone, () => quietly('answering calls whose approval is gone', approvals.endOrphans))
  changes.subscribe('profile-changed', ({ profileId }) =>
    quietly('ending approvals of changed tools', async () => {
      const view = await viewOf(profileId)
      await approvals.profileChanged(profileId, (id) => {
        const tool = view?.byToolId.get(id)
        return tool?.isHeldBack ? undefined : tool
      })
    }),
  )
  const ofConnection = (id: ConnectionId) =>
    quietly('ending approvals of a connection', async () => {
      const connection = await connections.find(id)
      await approvals.endOfConnection(id, connection?.updatedAt)
    })
  changes.subscribe('connection-changed', ({ connectionId }) => ofConnection(connectionId))
  changes.subscribe('connection-removed', ({ connectionId }) => ofConnection(connectionId))
  changes.subscribe('tools-changed', ({ connectionId }) =>
    quietly('telling of changed tools', async () => telling.toolsChanged(connectionId, await profiles.toolsChanged(connectionId))),
  )
  changes.subscribe('credential-failing', ({ connectionId, userId }) =>
    quietly('telling of a sign-in that fails', () => telling.credentialFailing(connectionId, userId)),
  )
}
