/**
 * The typed bus of things that *have been committed*. What must flow against the staircase flows here: a room announces,
 * `app` alone subscribes and calls the rooms that have to act.
 */
import type { ClientId, ConnectionId, GrantId, ProfileId, UserId } from './ids.ts'

export type Change =
  | { kind: 'user-disabled'; userId: UserId }
  | { kind: 'connection-changed'; connectionId: ConnectionId }
  | { kind: 'connection-removed'; connectionId: ConnectionId }
  /** A sign-in at an upstream could not be renewed: its user has to do something. */
  | { kind: 'credential-failing'; connectionId: ConnectionId; userId: UserId }
  | { kind: 'tools-changed'; connectionId: ConnectionId }
  /** A plugin came, changed or went: what its connectors opened is not to be used any more. */
  | { kind: 'plugins-changed'; connectors: readonly string[] }
  | { kind: 'profile-changed'; profileId: ProfileId }
  | { kind: 'profile-removed'; profileId: ProfileId }
  | { kind: 'client-removed'; clientId: ClientId }
  | { kind: 'client-blocked'; clientId: ClientId }
  /** Its redirect addresses are others now: what was allowed to it was allowed to another. */
  | { kind: 'client-changed'; clientId: ClientId }
  | { kind: 'grant-changed'; grantId: GrantId }
  | { kind: 'grant-ended'; grantId: GrantId }
  /** Something was paused, or goes on: apps as a whole, or the tools of one connection. */
  | { kind: 'pauses-changed'; connectionId?: ConnectionId }
  /** An access token of this grant is worth nothing any more; the grant itself stays. */
  | { kind: 'token-revoked'; grantId: GrantId }

export type Changes = {
  announce(change: Change): void
  subscribe<K extends Change['kind']>(kind: K, hear: (change: Extract<Change, { kind: K }>) => void): () => void
}

export function createChanges(onError: (error: unknown) => void): Changes {
  const hearers = new Map<Change['kind'], Set<(change: never) => void>>()
  return {
    announce(change) {
      // One hearer's fault must not keep the others from closing their streams.
      for (const hear of hearers.get(change.kind) ?? []) {
        try {
          hear(change as never)
        } catch (error) {
          onError(error)
        }
      }
    },
    subscribe(kind, hear) {
      const set = hearers.get(kind) ?? new Set()
      hearers.set(kind, set.add(hear as (change: never) => void))
      return () => void set.delete(hear as (change: never) => void)
    },
  }
}
