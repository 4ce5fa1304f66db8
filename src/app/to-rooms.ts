/** What flows against the staircase: which rooms have to hear of a committed change. */
import type { Connections } from '../connections/index.ts'
import type { Gateway } from '../gateway/index.ts'
import { type Grants, type Limits, state } from '../grants/index.ts'
import type { Changes } from '../lib/changes.ts'
import type { Clock } from '../lib/clock.ts'
import type { GrantId } from '../lib/ids.ts'
import { createQuietly, type Log } from '../lib/log.ts'
import type { Profiles } from '../profiles/index.ts'

type Hearers = {
  changes: Changes
  log: Log
  clock: Clock
  profiles: Pick<Profiles, 'forgetViews'>
  gateway: Pick<Gateway, 'endOf' | 'endCallsTo' | 'open' | 'profileChanged' | 'grantChanged'>
  grants: Pick<Grants, 'find' | 'idsOfClient' | 'revokeForClient' | 'listForUser'>
  limits: Pick<Limits, 'forget'>
  connections: Pick<Connections, 'forgetConnector'>
}

export function passOnToRooms({ changes, log, clock, profiles, gateway, grants, limits, connections }: Hearers): void {
  // What is done here is not waited for by whoever announced it.
  const quietly = createQuietly(log)
  /** A client or a profile took its grants along: whatever is open for a grant that is not there any more ends. */
  const endOrphans = async () => {
    for (const id of gateway.open()) if (!(await grants.find(id))) gateway.endOf(id)
  }
  changes.subscribe('grant-ended', ({ grantId }) => gateway.endOf(grantId))
  // Which of them the token opened is not known; whoever has another one opens them again.
  changes.subscribe('token-revoked', ({ grantId }) => gateway.endOf(grantId))
  /** What it may use is another now, or nothing at all. */
  const lookAt = async (grantId: GrantId) => {
    const grant = await grants.find(grantId)
    if (grant && state(grant, clock()) === 'active') gateway.grantChanged(grantId)
    else gateway.endOf(grantId)
  }
  changes.subscribe('grant-changed', ({ grantId }) => quietly('telling an app of its changed grant', () => lookAt(grantId)))
  changes.subscribe('pauses-changed', ({ connectionId }) =>
    quietly('telling apps of what is paused', async () => {
      for (const id of gateway.open()) {
        await lookAt(id)
        if (connectionId && (await grants.find(id))?.without.has(connectionId)) gateway.endCallsTo(id, connectionId)
      }
    }),
  )
  changes.subscribe('client-removed', () => quietly('ending the streams of a removed client', endOrphans))
  changes.subscribe('client-blocked', ({ clientId }) => {
    // Its grants stay, for when it is unblocked: only what is open now ends.
    quietly('ending the streams of a blocked client', async () => {
      for (const id of await grants.idsOfClient(clientId)) gateway.endOf(id)
    })
  })
  changes.subscribe('client-changed', ({ clientId }) =>
    quietly('ending the grants of a changed client', () => grants.revokeForClient(undefined, clientId, 'client_changed')),
  )
  changes.subscribe('user-disabled', ({ userId }) =>
    quietly('ending the streams of a disabled user', async () => {
      for (const { id } of await grants.listForUser(userId)) gateway.endOf(id)
    }),
  )
  changes.subscribe('plugins-changed', ({ connectors }) =>
    quietly('trying the connections of a changed plugin', () => Promise.all(connectors.map((id) => connections.forgetConnector(id)))),
  )
  changes.subscribe('profile-removed', () => quietly('ending the streams of a removed profile', endOrphans))
  changes.subscribe('profile-changed', ({ profileId }) => gateway.profileChanged(profileId))
  changes.subscribe('connection-changed', () => profiles.forgetViews())
  changes.subscribe('connection-removed', ({ connectionId }) => {
    profiles.forgetViews()
    quietly('forgetting the limits of a removed connection', () => limits.forget(connectionId))
  })
}
