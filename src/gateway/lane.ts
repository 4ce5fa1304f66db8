/**
 * The short way of nearly every call: a tool that is allowed, over a channel that is open, for a client that has nothing to be asked in
 * its midst. It decides with the functions of serving.ts, leaves the same row and gives the same answer, but is written for what it costs:
 * nothing is waited for that is there, and nothing is made that is not used. What is not plain goes the long way, and so does a call that
 * its upstream refused before it carried anything out.
 */
import { META_CAPABILITIES, META_CLIENT, META_VERSION } from '@/lib/meta-keys.ts'
import type { Audit, NewRow } from '@/audit'
import { type Asker, type AskRefused, hasMarks, type RawReceived, type Upstream } from '@/connections'
import { incomingOf } from '@/http/incoming.ts'
import { type Failure, isFailure } from '@/lib/failure.ts'
import type { ConnectionId, UserId } from '@/lib/ids.ts'
import type { JsonObject } from '@/plugins'
import type { Profile, ProfileView } from '@/profiles'
import { type Allowance, LimitReached } from '@/grants'
import { type Call, CALL_MS_MAX, type Calls } from './calls.ts'
import { type Caller, inTrail } from './caller.ts'
import { compose } from './compose.ts'
import { type Digested, digested } from './digest.ts'
import type { Answering } from './answering.ts'
import type { EventStream } from './events.ts'
import { type Limiting, tooLong } from './limiting.ts'
import { acceptsStream, type Asked, isPlainCall, Refusal } from './messages.ts'
import { Reply } from './reply.ts'
import { contentsOf } from './recording.ts'
import type { Serving } from './serving.ts'
import type { Question } from './talk.ts'
import type { Target, Targets } from './targets.ts'

export type LaneDeps = {
  audit: Pick<Audit, 'write'>
  profiles: { viewOf(profile: Profile, userId: UserId): Promise<ProfileView> | ProfileView }
  connections: { now(id: ConnectionId, userId: UserId): Upstream | undefined }
  targets: Targets
  calls: Calls
  answering: Pick<Answering, 'finish' | 'fail'>
  limiting: Pick<Limiting, 'take' | 'cut'>
  serving: Pick<Serving, 'finish' | 'finishFailure'>
}
/** What the client's revision says of it. `meta` goes to a modern upstream. */
export type LaneClient = {
  isModern: boolean
  capabilities: JsonObject
  meta: JsonObject
  isPlain: boolean
  /** Whose questions may meet, and the no to one that an upstream asks all the same. */
  group: string
  noTo(question: Question): AskRefused | Refusal
  key?: string
  lacksLinks?: boolean
  openStream(signal: AbortSignal, onGone: () => void): EventStream
}
type Coming = { request: Request; caller: Caller; asked: Asked; client: LaneClient }
type Begun = Coming & { target: Target; view: ProfileView; startedUs: number; allowance: Allowance | undefined }
/**
 * One object for all that becomes of a call. `sentUs` and `receivedUs`: between them the call was its upstream's. `refusal`: the upstream
 * needs what the app lacks.
 */
type Going = Begun & { call: Call; reply: Reply; sentUs: number; receivedUs: number | undefined; refusal: Refusal | undefined }

const nowUs = () => Math.round(performance.now() * 1_000)
const nothing = () => undefined

export function createLane(deps: LaneDeps) {
  const { profiles, connections, targets, calls, answering, limiting } = deps
  const settle = createSettling(deps)
  const planned = ({ caller, asked: { params }, client: { capabilities } }: Coming): { target: Target; view: ProfileView } | undefined => {
    // Who could be asked is talked with, not just answered.
    if (capabilities['elicitation'] !== undefined || capabilities['sampling'] !== undefined || capabilities['roots'] !== undefined)
      return undefined
    const view = profiles.viewOf(caller.profile, caller.userId)
    if (view instanceof Promise || caller.profile.delivery !== 'whole') return undefined
    const tool = view.byExposedName.get(params['name'] as string)
    if (!tool || tool.isHeldBack || hasMarks(tool.definition) || targets.permissionFor(caller, tool) !== 'allow') return undefined
    return { target: targets.tool(caller, view, params), view }
  }
  const run = (begun: Begun, { forward, isModern }: Forwarding, longWay: () => Promise<Response>): Promise<Response> => {
    const { request, caller, asked, client, target, view, startedUs, allowance } = begun
    const call = calls.start(caller.grant.id, client.key)
    call.to = target.connectionId
    const reply = new Reply(() => (acceptsStream(request) ? client.openStream(request.signal, () => call.abort()) : undefined))
    const sentUs = nowUs()
    const going: Going = {
      request,
      caller,
      asked,
      client,
      target,
      view,
      startedUs,
      allowance,
      call,
      reply,
      sentUs,
      receivedUs: undefined,
      refusal: undefined,
    }
    call.onLate = () => listen(going)
    if (allowance) call.within(Math.min(allowance.ms, CALL_MS_MAX), () => tooLong(allowance.ms))
    const { meta } = client
    const build = (id: number) => compose({ id, asked, target, params: target.params, isModern, meta, progress: false })
    const asker = isModern ? undefined : new Unasked(going)
    forward({ signal: call.signal, receive: nothing, method: asked.method, name: target.name, build, asker }).then(
      (received) => {
        going.receivedUs = nowUs()
        finishing(going, () => {
          const digest = attempted(received)
          // Nothing was carried out. An older app has what is needed asked in person, or answered for it, in the midst of its call.
          if (!client.isModern && needsMore(digest) && !reply.isStream()) return again(going, longWay)
          return settle.answered(going, digest)
        })
      },
      // It may be late by now, and a stream; then it is told as it is.
      (error) => finishing(going, () => (wasRefused(error) && !reply.isStream() ? again(going, longWay) : settle.failed(going, error))),
    )
    return reply.response
  }
  /** Most are answered at once; those whose row is waited for, or whose result is cut, later. */
  const finishing = (going: Going, work: () => Promise<void> | void): void => {
    const failed = (error: unknown) => {
      over(going)
      answering.fail(error, going.asked, going.reply)
    }
    try {
      const later = work()
      if (later) later.then(() => over(going), failed)
      else over(going)
    } catch (error) {
      failed(error)
    }
  }

  /** Undefined for a call that is not plain. @param longWay serves it from the beginning */
  return (coming: Coming, longWay: () => Promise<Response>): Promise<Response> | undefined => {
    const { request, caller, asked, client } = coming
    if (asked.text === undefined || !client.isPlain || !isPlain(asked)) return undefined
    const startedUs = nowUs()
    const plan = planned(coming)
    if (!plan) return undefined
    const upstream = connections.now(plan.target.connectionId, caller.userId)
    if (!upstream?.forward) return undefined
    const allowance = limiting.take(caller, plan.target, 0)
    // It is refused inside its record, where calls that are not plain are as well.
    if (allowance instanceof LimitReached) return undefined
    const { target, view } = plan
    return run({ request, caller, asked, client, target, view, startedUs, allowance }, upstream as Forwarding, longWay)
  }
}
export type Lane = ReturnType<typeof createLane>
type Forwarding = Required<Pick<Upstream, 'forward' | 'isModern'>>

/**
 * What a legacy upstream hears that asks in the midst of a call, though nothing can be asked: it cannot know. A modern app's call ends with
 * what it lacks, and its upstream is told so; of an older app it hears the no alone, and goes on as it likes.
 */
class Unasked implements Asker {
  constructor(private readonly going: Going) {}
  get group(): string {
    return this.going.client.group
  }
  ask(question: Question): Promise<never> {
    const { going } = this
    const no = going.client.noTo(question)
    // Not at once: an answer that came along with the question is one all the same.
    if (no instanceof Refusal)
      setImmediate(() => {
        if (going.receivedUs !== undefined) return
        going.refusal ??= no
        going.call.abort()
      })
    return Promise.reject(no)
  }
  /** Remarks go to who asked for them, who is served the long way. */
  tell(): void {
    return undefined
  }
}

function over({ call, allowance }: Going): void {
  call.end()
  allowance?.end()
}

/** From the beginning, counted there. */
function again({ allowance, reply }: Going, longWay: () => Promise<Response>): void {
  allowance?.takeBack()
  reply.hand(longWay())
}

/** The row of a call, and then its answer. */
function createSettling({ audit, answering, serving, limiting }: Pick<LaneDeps, 'audit' | 'answering' | 'serving' | 'limiting'>) {
  const write = (going: Going, outcome: NewRow['outcome'], reason: string | null, responseBytes: number | null, result?: unknown) => {
    const { caller, asked, target, startedUs, sentUs, receivedUs } = going
    const { tool, connectionId, purpose = null } = target
    const { toolId, connectionName, exposedName } = tool
    const endedUs = nowUs()
    const row: NewRow = {
      kind: 'call',
      action: asked.method,
      outcome,
      reason,
      subject: exposedName,
      purpose,
      ...inTrail(caller),
      connectionId,
      connectionName,
      toolId,
      requestBytes: asked.bytes,
      responseBytes,
      durationUs: endedUs - startedUs,
      upstreamUs: (receivedUs ?? endedUs) - sentUs,
    }
    return audit.write(row, tool.kind !== 'read' && outcome !== 'refused', contentsOf(caller, asked, result))
  }
  const refused = (going: Going, refusal: Refusal): Promise<void> | void => {
    const written = write(going, 'refused', `error ${refusal.error.code}`, null, refusal.error)
    if (!written) throw refusal
    return written.then(() => Promise.reject(refusal))
  }
  const failed = (going: Going, error: unknown): Promise<void> | void => {
    if (going.refusal) return refused(going, going.refusal)
    if (!isFailure(error)) throw error
    const outcome = error.code === 'request_cancelled' ? 'cancelled' : 'failed'
    const written = write(going, outcome, error.code, null)
    const { asked, caller, client, reply } = going
    const answer = () => {
      if (outcome === 'cancelled') throw error
      answering.finish(serving.finishFailure(error, asked, caller, client.isModern), asked, reply)
    }
    return written ? written.then(answer) : answer()
  }
  return {
    failed,
    answered(going: Going, digest: Digested | Failure): Promise<void> | void {
      if (isFailure(digest)) return failed(going, digest)
      const { allowance } = going
      if (!allowance || digest.length <= allowance.resultBytes) return this.whole(going, digest)
      const { caller, target, asked, client } = going
      const cutting = { caller, target, asked, limitBytes: allowance.resultBytes, lacksLinks: client.lacksLinks === true }
      return limiting.cut(digest, cutting).then((cut) => this.whole(going, cut))
    },
    whole(going: Going, digest: Digested): Promise<void> | void {
      const { result, error } = digest.response
      const reason = error ? `upstream_error ${error.code}` : null
      const outcome = error ? 'failed' : result['isError'] === true ? 'tool-error' : 'ok'
      const written = write(going, outcome, reason, digest.length, result ?? error)
      const { asked, caller, client, reply, target, view } = going
      const answer = () => answering.finish(serving.finish({ digest, target, view, asked }, caller, client.isModern), asked, reply)
      return written ? written.then(answer) : answer()
    },
  }
}

const needsMore = (digest: Digested | Failure): boolean => !isFailure(digest) && digest.response.result?.['resultType'] === 'input_required'

/** Bytes that are no answer are their upstream's failure. */
function attempted(received: RawReceived): Digested | Failure {
  try {
    return digested(received.response ?? (received as RawReceived & { bytes: Uint8Array<ArrayBuffer> }))
  } catch (error) {
    if (isFailure(error)) return error
    throw error
  }
}

const PLAIN_META: ReadonlySet<string> = new Set([META_VERSION, META_CAPABILITIES, META_CLIENT])

/** Nothing but a name and arguments; what else a call can say wants more than this. */
function isPlain({ params }: Asked): boolean {
  if (!isPlainCall(params)) return false
  for (const name in params['_meta'] as JsonObject | undefined) if (!PLAIN_META.has(name)) return false
  return typeof params['name'] === 'string'
}

/** Before anything was carried out; the long way knows what can be done about it. */
const wasRefused = (error: unknown): boolean =>
  isFailure(error, 'upstream_unauthorized') || isFailure(error, 'upstream_unreachable') || isFailure(error, 'sign_in_needed')

/**
 * The end of the connection is the end of the request, but where a client of an older revision can come back to its stream. Listened for
 * only where it takes its time: it costs as much as all the rest.
 */
function listen({ request, client, reply, call }: Going): void {
  incomingOf(request).hold()
  reply.late()
  const onGone = () => (client.isModern || !reply.isStream() ? call.abort() : undefined)
  if (request.signal.aborted) onGone()
  else request.signal.addEventListener('abort', onGone, { once: true })
}
