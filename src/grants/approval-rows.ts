/** Approvals as they stand in the file: what was asked for, sealed, and what was said to it. */
import { and, asc, count, desc, eq, gt, inArray, ne } from 'drizzle-orm'
import { sha256 } from '@/lib/crypto.ts'
import type { ApprovalId, ConnectionId, GrantId, ProfileId, ToolId, UserId } from '@/lib/ids.ts'
import { inKeyOrder } from '@/connections'
import type { JsonObject } from '@/plugins'
import type { ProfileTool } from '@/profiles'
import { approvalSettings, approvals, type IN_APP, type Sealer, type Store, type Writer } from '@/store'
import type { Grant } from './reading.ts'

export type ApprovalRow = typeof approvals.$inferSelect
export type InApp = (typeof IN_APP)[number]

/** A call that may not run before its user has said so. */
export type Asking = {
  grant: Grant
  /** Who decides: the user of the grant. */
  user: { id: UserId; username: string | null }
  clientName: string
  profileTitle: string
  tool: Pick<ProfileTool, 'toolId' | 'connectionId' | 'connectionName' | 'exposedName' | 'kind' | 'feature' | 'hash'>
  method: string
  /** As they go to the upstream. */
  params: JsonObject
  purpose: string | null
}

/** What is sealed with it. */
export type Shown = {
  connectionName: string
  profileTitle: string
  deviceName: string
  kind: ProfileTool['kind']
  feature: ProfileTool['feature']
  /** Of the tool, when it was asked for: another one needs another approval. */
  definition: string
  /** The arguments as JSON, cut where they are very long. */
  text: string
  /** How many characters there are beyond what is kept. */
  cutChars: number
}
export type Approval = Omit<ApprovalRow, 'sealed' | 'sealedKey'> & { shown: Shown }

const SHOWN_CHARS_MAX = 64 * 1024
const RECENT_MAX = 50

/**
 * What an approval is bound to: this tool as it is described, in this profile, and the arguments as its server will read them. Spelling and order of keys
 * make no difference there, so they make none here.
 */
export const hashOf = (profileId: ProfileId, { tool, method, params }: Pick<Asking, 'tool' | 'method' | 'params'>): string =>
  sha256(JSON.stringify([profileId, tool.toolId, tool.hash, method, inKeyOrder(params)]))

export function shownOf({ grant, tool, params, profileTitle }: Asking): Shown {
  const { name: _, arguments: given, ...rest } = params
  // Nothing that goes along may be missing from what is shown.
  const whole = JSON.stringify(
    Object.keys(rest).length === 0 ? (given ?? {}) : given === undefined ? rest : { arguments: given, ...rest },
    null,
    2,
  )
  const { connectionName, kind, feature, hash } = tool
  return {
    connectionName,
    profileTitle,
    deviceName: grant.deviceName,
    kind,
    feature,
    definition: hash,
    text: whole.slice(0, SHOWN_CHARS_MAX),
    cutChars: Math.max(0, whole.length - SHOWN_CHARS_MAX),
  }
}

/** The user and the names that stay readable when what they name is gone. */
export const inTrail = (
  row: Pick<ApprovalRow, 'userId' | 'grantId' | 'profileId' | 'connectionId' | 'toolId' | 'exposedName' | 'clientName'>,
) => ({
  kind: 'admin' as const,
  outcome: 'ok' as const,
  userId: row.userId,
  grantId: row.grantId,
  profileId: row.profileId,
  connectionId: row.connectionId,
  toolId: row.toolId,
  clientName: row.clientName,
  subject: row.exposedName,
})

const placeOf = (row: ApprovalId, owner: UserId) => ({ table: 'approvals', row, column: 'sealed', owner, version: 1 })

export function createApprovalRows({ store, sealer }: { store: Store; sealer: Sealer }) {
  const opened = ({ sealed, sealedKey, ...row }: ApprovalRow): Approval => ({
    ...row,
    shown: JSON.parse(sealer.open({ bytes: sealed, key: sealedKey }, placeOf(row.id, row.userId))) as Shown,
  })
  const live = inArray(approvals.status, ['waiting', 'approved'])
  const waitingNow = store.prepare<{ n: number }, [string, number]>(
    "SELECT count(*) AS n FROM approvals WHERE user_id = ? AND status = 'waiting' AND expires_at > ?",
  )
  return {
    seal(id: ApprovalId, userId: UserId, shown: Shown): { sealed: Buffer; sealedKey: string } {
      const { bytes, key } = sealer.seal(JSON.stringify(shown), placeOf(id, userId))
      return { sealed: bytes, sealedKey: key }
    },
    opened,
    /** How many wait for this user. Cheap: each page asks. */
    countWaiting: (userId: UserId, now: number): number => waitingNow.get(userId, now)?.n ?? 0,
    find: async (id: ApprovalId): Promise<ApprovalRow | undefined> =>
      (await store.read.select().from(approvals).where(eq(approvals.id, id)))[0],
    /** What may still lead to something. */
    live: async (of: { grantId?: GrantId; connectionId?: ConnectionId; profileId?: ProfileId }): Promise<ApprovalRow[]> => {
      const { grantId, connectionId, profileId } = of
      const whose = and(
        grantId && eq(approvals.grantId, grantId),
        connectionId && eq(approvals.connectionId, connectionId),
        profileId && eq(approvals.profileId, profileId),
      )
      return store.read.select().from(approvals).where(and(whose, live))
    },
    /** What holds for any call of this tool by this grant. */
    standing: async ({ id, profileId }: Pick<Grant, 'id' | 'profileId'>, toolId: ToolId, now: number): Promise<ApprovalRow[]> => {
      const isThis = and(eq(approvals.grantId, id), eq(approvals.profileId, profileId), eq(approvals.toolId, toolId))
      const isHour = and(eq(approvals.status, 'approved'), eq(approvals.scope, 'hour'), gt(approvals.expiresAt, now))
      return store.read.select().from(approvals).where(and(isThis, isHour))
    },
    /** Those of this very call that wait, or are approved and not used. */
    same: (read: Pick<Writer, 'select'>, { grantId, toolId, hash }: { grantId: GrantId; toolId: ToolId; hash: string }, now: number) => {
      const isIt = and(eq(approvals.grantId, grantId), eq(approvals.toolId, toolId), eq(approvals.argumentsHash, hash))
      return read
        .select()
        .from(approvals)
        .where(and(isIt, live, gt(approvals.expiresAt, now)))
    },
    async counts(read: Pick<Writer, 'select'>, { grantId, userId }: Pick<ApprovalRow, 'grantId' | 'userId'>, now: number) {
      const isWaiting = and(eq(approvals.status, 'waiting'), gt(approvals.expiresAt, now))
      const [ofUser] = await read
        .select({ n: count() })
        .from(approvals)
        .where(and(eq(approvals.userId, userId), isWaiting))
      const [ofGrant] = await read
        .select({ n: count() })
        .from(approvals)
        .where(and(eq(approvals.grantId, grantId), isWaiting))
      return { ofUser: ofUser?.n ?? 0, ofGrant: ofGrant?.n ?? 0 }
    },
    /** The user's own: what waits, the longest first, and what was decided lately. */
    async listForUser(userId: UserId, now: number): Promise<{ waiting: Approval[]; recent: Approval[] }> {
      const isTheirs = eq(approvals.userId, userId)
      const isWaiting = and(isTheirs, eq(approvals.status, 'waiting'), gt(approvals.expiresAt, now))
      const waiting = await store.read.select().from(approvals).where(isWaiting).orderBy(asc(approvals.createdAt))
      const rest = and(isTheirs, ne(approvals.status, 'waiting'))
      const recent = await store.read.select().from(approvals).where(rest).orderBy(desc(approvals.createdAt)).limit(RECENT_MAX)
      return { waiting: waiting.map(opened), recent: recent.map(opened) }
    },
    inApp: async (userId: UserId): Promise<InApp> =>
      (await store.read.select().from(approvalSettings).where(eq(approvalSettings.userId, userId)))[0]?.inApp ?? 'not-destructive',
  }
}
export type ApprovalRows = ReturnType<typeof createApprovalRows>
