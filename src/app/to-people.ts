/** What flows against the staircase to where people are asked and told: approvals that are worth nothing any more, and news for notices. */
import type { Connections } from '../connections/index.ts'
import type { Approvals, Grants } from '../grants/index.ts'
import type { Changes } from '../lib/changes.ts'
import type { ConnectionId, GrantId } from '../lib/ids.ts'
import { createQuietly, type Log } from '../lib/log.ts'
import type { Profiles } from '../profiles/index.ts'
import type { Telling } from './telling.ts'

type Hearers = {
  changes: Changes
  log: Log
  approvals: Approvals
  telling: Telling
  grants: Pick<Grants, 'idsOfClient' | 'listForUser'>
  profiles: Pick<Profiles, 'findView' | 'toolsChanged'>
  connections: Pick<Connections, 'find'>
}

export function passOnToPeople({ changes, log, approvals, telling, grants, profiles, connections }: Hearers): void {
  const quietly = createQuietly(log)
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
      const view = await profiles.findView(profileId)
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
