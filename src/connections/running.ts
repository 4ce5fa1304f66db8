/** Programs of connections as an administrator sees them: who may have some, what runs, and ending one. */
import type { Audit } from '@/audit'
import { Failure } from '@/lib/failure.ts'
import type { ConnectionId, UserId } from '@/lib/ids.ts'
import { joinSettings, type Plugins } from '@/plugins'
import type { User, Users } from '@/users'
import type { Credentials } from './credentials.ts'
import { programKey } from './open.ts'
import type { createPool, PoolKey, Standing } from './pool.ts'
import type { ProgramPolicies } from './program-policy.ts'
import type { Connection, Rows } from './rows.ts'

type Deps = {
  audit: Audit
  users: Pick<Users, 'find'>
  plugins: Pick<Plugins, 'connector'>
  rows: Rows
  credentials: Credentials
  programPolicy: ProgramPolicies
  pool: Pick<ReturnType<typeof createPool>, 'standing' | 'resting' | 'end'>
}
type Known = { connection: Connection; programKey: string }
type RunningChannel = Standing & Known
type RestingChannel = PoolKey & Known & { until: number; problem: string }

export function createRunning({ audit, users, plugins, rows, credentials, programPolicy, pool }: Deps) {
  /** With what is known of its connection; only of connections whose connector runs things here. */
  const known = async <Key extends PoolKey>(keys: readonly Key[]): Promise<(Key & Known)[]> => {
    const found = await Promise.all(
      keys.map(async (key) => {
        const connection = await rows.find(key.connectionId)
        if (!connection || plugins.connector(connection.connector)?.definedBy !== 'administrator') return []
        return [{ ...key, connection, programKey: programKey(key.connectionId, key.credentialOf) }]
      }),
    )
    return found.flat()
  }
  const isRefused = async ({ connection, credentialOf }: RunningChannel): Promise<boolean> => {
    const connector = plugins.connector(connection.connector)
    if (!connector) return true
    const secret = await credentials.find(connection.id, credentialOf)
    const settings = joinSettings(connector, { plain: connection.settings, secret })
    const [owner, giver] = await Promise.all([users.find(connection.ownerId), users.find(credentialOf)])
    return (await programPolicy.refusal({ owner, giver }, connector, settings)) !== undefined
  }

  return {
    policy: programPolicy.get,
    mayDefineAny: programPolicy.mayDefineAny,
    /** What may not run any more is ended at once. @throws Failure `administrators_only`, `invalid_form` */
    async setPolicy(by: User, asked: { users: readonly UserId[]; commands: readonly string[] }): Promise<void> {
      await programPolicy.set(by, asked)
      for (const channel of await known(pool.standing())) if (await isRefused(channel)) await pool.end(channel)
    },
    channels: async (): Promise<RunningChannel[]> => known(pool.standing()),
    /** Those that ended by themselves again and again and wait before they may start once more. */
    resting: async (): Promise<RestingChannel[]> => known(pool.resting()),
    /** It starts again at its next use. @throws Failure `administrators_only`, `connection_not_found` */
    async stop(by: User, connectionId: ConnectionId, credentialOf: UserId): Promise<void> {
      if (by.role !== 'admin') throw new Failure('administrators_only')
      const connection = await rows.find(connectionId)
      if (!connection) throw new Failure('connection_not_found')
      await pool.end({ connectionId, credentialOf })
      await audit.report({
        kind: 'admin',
        action: 'program.stop',
        outcome: 'ok',
        userId: by.id,
        userName: by.username,
        connectionId,
        connectionName: connection.name,
        subject: connection.name,
      })
    },
  }
}
