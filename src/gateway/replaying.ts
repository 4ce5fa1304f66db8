/**
 * A call of an app made once more by its user, from the page of that call. It goes the way of every call, under the grant of the app that
 * made it: what the app may not do any more is not done here either, and nothing is asked of anybody in its midst. It has a row of its own.
 */
import { META_CAPABILITIES } from '@/lib/meta-keys.ts'
import { Failure, isFailure } from '@/lib/failure.ts'
import type { GrantId, ToolId, UserId } from '@/lib/ids.ts'
import type { JsonObject } from '@/plugins'
import type { ProfileTool } from '@/profiles'
import type { Calls } from './calls.ts'
import type { Caller, EntranceDeps } from './caller.ts'
import { type Asked, Refusal } from './messages.ts'
import type { Serving, ServingDeps } from './serving.ts'
import { state } from '@/grants'
import { lacking, missingCapability, type Talk } from './talk.ts'
import type { Targets } from './targets.ts'

export type ReplayAsked = {
  userId: UserId
  userName: string
  grantId: GrantId
  toolId: ToolId
  /** As it was called then. */
  subject: string
  arguments: JsonObject
  address: string
}
export type Replayed = { result: JsonObject } | { refusal: string }
type Deps = Pick<EntranceDeps, 'grants' | 'profiles' | 'clock'> & {
  views: ServingDeps['profiles']
  store: { epoch(): number }
  targets: Pick<Targets, 'permissionFor'>
  serving: Pick<Serving, 'serve'>
  calls: Pick<Calls, 'start'>
}

/** Who it was by, as the trail and the pages name it. */
const BY = 'Toolpass page'
const REPLAY_MS_MAX = 30_000

export function createReplaying({ grants, profiles, views, store, clock, targets, serving, calls }: Deps) {
  const callerOf = async (userId: UserId, grantId: GrantId): Promise<Caller | undefined> => {
    const epoch = store.epoch()
    const grant = await grants.find(grantId)
    if (grant?.userId !== userId || state(grant, clock()) !== 'active') return undefined
    const profile = await profiles.findFor(userId, grant.profileId)
    if (!profile) return undefined
    const known = { userId, clientId: grant.clientId, userName: null, clientName: BY, grant, address: '', home: '', isNamed: true, epoch }
    // Whoever finds tools by search called this one by its own name in the end.
    return { ...known, profile: { ...profile, delivery: 'whole' } }
  }
  const toolFor = async (caller: Caller, subject: string, toolId: ToolId): Promise<ProfileTool | undefined> => {
    const tool = (await views.viewOf(caller.profile, caller.userId)).byExposedName.get(subject)
    return tool?.toolId === toolId ? tool : undefined
  }
  const obstacleOf = (caller: Caller | undefined, tool: ProfileTool | undefined): string | undefined => {
    if (!caller) return 'The app is not connected any more, or paused.'
    if (!tool) return 'The profile has no such tool any more.'
    if (tool.kind !== 'read') return 'It may change something. Only tools that read are called once more from here.'
    if (tool.isHeldBack) return 'Its server changed this tool since it was picked, and nobody has accepted the change yet.'
    if (targets.permissionFor(caller, tool) !== 'allow') return 'The app may not call this tool without asking.'
    return undefined
  }
  const look = async ({ userId, grantId, subject, toolId }: Pick<ReplayAsked, 'userId' | 'grantId' | 'subject' | 'toolId'>) => {
    const caller = await callerOf(userId, grantId)
    const obstacle = obstacleOf(caller, caller && (await toolFor(caller, subject, toolId)))
    return { caller, obstacle }
  }

  return {
    /** Why it cannot be made once more, in a sentence; undefined where it can. */
    obstacle: async (asked: Pick<ReplayAsked, 'userId' | 'grantId' | 'subject' | 'toolId'>): Promise<string | undefined> =>
      (await look(asked)).obstacle,
    /** @throws Failure `not_found` where `obstacle` says why */
    async replay({ userName, address, subject, arguments: given, ...of }: ReplayAsked): Promise<Replayed> {
      const { caller, obstacle } = await look({ ...of, subject })
      if (!caller || obstacle !== undefined) throw new Failure('not_found')
      const call = calls.start(caller.grant.id)
      const timer = setTimeout(() => call.abort(new Failure('upstream_timeout')), REPLAY_MS_MAX)
      try {
        const params = { name: subject, arguments: given }
        const bytes = Buffer.byteLength(JSON.stringify(params))
        const asked: Asked = { kind: 'request', id: 1, method: 'tools/call', params, bytes }
        const { result, pieces } = await serving.serve({ ...caller, userName, address }, asked, talkOf(caller, call))
        return { result: result ?? ((JSON.parse(Buffer.concat(pieces).toString()) as { result?: JsonObject }).result as JsonObject) }
      } catch (error) {
        if (error instanceof Refusal) return { refusal: error.error.message }
        if (isFailure(error)) return { refusal: error.message }
        throw error
      } finally {
        clearTimeout(timer)
        call.end()
      }
    },
  }
}

/** Nobody is there to be asked, or told how far it is. */
const talkOf = ({ grant }: Caller, call: ReturnType<Calls['start']>): Talk => ({
  isModern: true,
  signal: call.signal,
  reaches: (id) => {
    call.to = id
  },
  capabilities: {},
  meta: { [META_CAPABILITIES]: {} },
  group: `${grant.id} replay`,
  tell: () => undefined,
  ask: (question) => Promise.reject(missingCapability(lacking({}, question) ?? {})),
})
