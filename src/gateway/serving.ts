/**
 * A call from start to finish: tools/call, resources/read, prompts/get. The permission check sits inside the record, so a refused call
 * leaves the same trace as a served one.
 */
import type { Audit, CallRecord } from '@/audit'
import type { Upstream } from '@/connections'
import { type Failure, isFailure } from '@/lib/failure.ts'
import type { ConnectionId, ToolId, UserId } from '@/lib/ids.ts'
import type { JsonObject } from '@/plugins'
import type { ProfileView } from '@/profiles'
import { type Allowance, LimitReached } from '@/grants'
import { type Approving, type ApprovingDeps, createApproving, type Waiting } from './approving.ts'
import { type Caller, inTrail } from './caller.ts'
import { type Bytes, type Digested, digested, spliced } from './digest.ts'
import { answeredWith, askedFor, contentsOf, traceIdOf } from './recording.ts'
import { createExchange, linksIn, withOwnState } from './exchange.ts'
import { type Limiting, noteLimit, timed } from './limiting.ts'
import { type Asked, CODES, isObject, Refusal } from './messages.ts'
import { didNot, isAboutUs, legacyResult, modernResult, refusalOf, resultOfFailure, saying, withCaching } from './results.ts'
import type { Searching } from './searching.ts'
import type { SignInLinks } from './signing-in.ts'
import type { States } from './states.ts'
import type { Talk } from './talk.ts'
import type { Target, Targets } from './targets.ts'
import { createTasks } from './tasks.ts'
import { createUris } from './uris.ts'

/** `isApproved`: its user was asked, and said yes. */
type Reached = { digest: Digested; target: Target; view: ProfileView; asked: Asked; isApproved?: boolean }
type Done = Reached | { result: JsonObject } | { refusal: Refusal } | { failure: Failure }
/** `pieces` are a whole answer, under the client's own id. */
export type Served = { result: JsonObject; pieces?: undefined } | { pieces: readonly Bytes[]; result?: undefined }

export type ServingDeps = Omit<ApprovingDeps, 'states'> & {
  connections: { reach(id: ConnectionId, userId: UserId): Promise<Upstream>; now(id: ConnectionId, userId: UserId): Upstream | undefined }
  audit: Pick<Audit, 'record'>
  states: States
  targets: Targets
  searching: Searching
  signInLinks: SignInLinks
  limiting: Limiting
}
export const CALLS: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read'])
const SUBJECT_CHARS_MAX = 500

const subjectOf = ({ method, params }: Asked): string => {
  const subject = params[method === 'resources/read' ? 'uri' : 'name']
  return typeof subject === 'string' ? subject.slice(0, SUBJECT_CHARS_MAX) : ''
}

export function createServing(deps: ServingDeps) {
  const { connections, audit, states, signInLinks } = deps
  const ask = createAsk({ connections, states, signInLinks })
  const tasks = createTasks({ states })
  const uris = createUris()
  const approving = createApproving(deps)

  /** What came back, in the client's words. @throws Refusal */
  const translated = ({ digest, target, view, asked, isApproved }: Reached, caller: Caller, isModern: boolean): JsonObject => {
    const { result, error } = digest.response
    const isRead = asked.method === 'resources/read'
    if (error) {
      if (asked.method === 'tools/call' && isAboutUs(error)) return saying(didNot(error))
      throw refusalOf(isRead ? uris.inError(error, asked) : error, isModern, isRead)
    }
    const shown = tasks.exposed(uris.exposed(result, target, asked, view), target, caller)
    const own = withOwnState(shown, asked, caller, states, isApproved ? () => approving.rounds.next(caller, target, asked) : undefined)
    return isModern && isRead ? withCaching(own) : own
  }

  const work = createWork({ ...deps, ask, approving })
  const shaped = (result: JsonObject, { profile }: Caller, isModern: boolean): Served => ({
    result: isModern ? modernResult(profile, result) : legacyResult(result),
  })
  /** What has a word of ours in it is written anew: addresses that are called otherwise here, tasks, rounds. */
  const asItCame = (
    { digest, target, view }: Reached,
    { id }: Asked,
    { profile }: Caller,
    isModern: boolean,
  ): readonly Bytes[] | undefined => {
    const { came, response } = digest
    if (!came || !response.result || uris.concern(view, target)) return undefined
    const { result } = response
    if ((result['resultType'] ?? 'complete') !== 'complete' || result['task'] !== undefined) return undefined
    return spliced({ ...came, upstreamId: response.id, id, result, profile, isModern })
  }
  const served = (done: Done, asked: Asked, caller: Caller, isModern: boolean): Served => {
    if ('refusal' in done) throw done.refusal
    if ('failure' in done) throw done.failure
    if ('result' in done) return shaped(done.result, caller, isModern)
    const pieces = asked.method === 'tools/call' ? asItCame(done, asked, caller, isModern) : undefined
    if (pieces) return { pieces }
    return shaped(translated(done, caller, isModern), caller, isModern)
  }

  return {
    /** @throws Refusal, Failure */
    async serve(caller: Caller, asked: Asked, talk: Talk): Promise<Served> {
      try {
        const done = await audit.record(recordOf(caller, asked), (record) =>
          work(caller, asked, talk, record)
            .catch((error) => refused(error, record))
            .then((done) => answeredWith(record, done)),
        )
        return served(done, asked, caller, talk.isModern)
      } catch (error) {
        if (!isFailure(error)) throw error
        return shaped(resultOfFailure(error, asked, talk.isModern), caller, talk.isModern)
      }
    },
    /** The answer to a call that was made elsewhere (lane.ts). @throws Refusal */
    finish: (reached: Reached, caller: Caller, isModern: boolean): Served => served(reached, reached.asked, caller, isModern),
    /** The same for one that failed. @throws Failure where that is not a model's to read */
    finishFailure: (failure: Failure, asked: Asked, caller: Caller, isModern: boolean): Served =>
      shaped(resultOfFailure(failure, asked, isModern), caller, isModern),
    tasks,
    /** Calls of this grant that wait for their user go on at once, and find out why. False where there are none. */
    endWaiting: approving.endOf,
  }
}
export type Serving = ReturnType<typeof createServing>

type Working = Pick<ServingDeps, 'profiles' | 'searching' | 'targets' | 'limiting'> & {
  ask: ReturnType<typeof createAsk>
  approving: Approving
}

function createWork({ profiles, searching, targets, limiting, ask, approving }: Working) {
  const resolve = (caller: Caller, view: ProfileView, { method, params }: Asked): Target | Promise<Target> => {
    if (method === 'tools/call') return targets.tool(caller, view, params)
    return method === 'prompts/get' ? targets.prompt(caller, view, params) : targets.resource(caller, view, params)
  }

  /** Counted, and then done; a call that a limit turns away is told when it may come again. */
  const within = async (
    caller: Caller,
    target: Target | undefined,
    record: CallRecord,
    work: (of: Allowance | undefined) => Promise<Done>,
  ) => {
    const allowance = limiting.take(caller, target, 1)
    if (allowance instanceof LimitReached) {
      noteLimit(record, allowance)
      return { failure: allowance }
    }
    return allowance ? work(allowance).finally(allowance.end) : work(undefined)
  }
  const resolved = async (caller: Caller, view: ProfileView, asked: Asked): Promise<Target | Failure> => {
    try {
      return await resolve(caller, view, asked)
    } catch (error) {
      if (isFailure(error, 'tool_not_granted') || isFailure(error, 'connection_paused')) return error
      throw error
    }
  }

  /** Everything up to the answer, inside the record. What is said about it in the client's words is said outside. */
  const work = async (caller: Caller, asked: Asked, talk: Talk, record: CallRecord): Promise<Done> => {
    const seen = profiles.viewOf(caller.profile, caller.userId)
    const view = seen instanceof Promise ? await seen : seen
    if (caller.profile.delivery === 'search' && asked.method === 'tools/call') {
      const inner = searching.take(caller, view, asked, record)
      if (inner?.result) return within(caller, undefined, record, async () => ({ result: inner.result }))
      if (inner) {
        askedFor(record, inner.asked)
        return work(caller, inner.asked, talk, record)
      }
    }
    if (limiting.isKept(asked)) return within(caller, undefined, record, async () => readKept(caller, view, asked, talk, record))
    const target = await resolved(caller, view, asked)
    // What leads nowhere counts as well, or there would be no end to trying.
    if (isFailure(target)) return within(caller, undefined, record, () => Promise.reject(target))
    complete(record, target, asked)
    talk.reaches(target.connectionId)
    return within(caller, target, record, async (allowance) => {
      const first = { caller, view, target, asked, talk, record }
      if (target.tool.isHeldBack || target.permission !== 'ask') return run(first, allowance)
      const passed = await approving.pass(first, (now, seenNow) => resolve(now, seenNow, asked))
      if (passed.held !== undefined) return held(passed.held, asked)
      const done = await run({ ...first, ...passed }, allowance)
      return 'digest' in done ? { ...done, isApproved: true } : done
    })
  }
  const held = (sentence: string, { method }: Asked): Done =>
    method === 'tools/call' ? { result: saying(sentence) } : { refusal: refusing(sentence) }
  const run = async ({ caller, view, target, asked, talk, record }: Waiting, allowance: Allowance | undefined): Promise<Done> => {
    const sentence = heldBack(record, target, caller)
    if (sentence !== undefined) return held(sentence, asked)
    return { digest: await reached(caller, target, asked, talk, record, allowance), target, view, asked }
  }
  const reached = async (
    caller: Caller,
    target: Target,
    asked: Asked,
    talk: Talk,
    record: CallRecord,
    allowance: Allowance | undefined,
  ) => {
    const startedUs = performance.now() * 1_000
    const { talk: limited, stop } = timed(talk, allowance?.ms ?? Number.POSITIVE_INFINITY)
    try {
      const digest = await ask(caller, target, asked, limited)
      judge(record, digest)
      const limitBytes = allowance?.resultBytes ?? Number.POSITIVE_INFINITY
      if (digest.length <= limitBytes) return digest
      return await limiting.cut(digest, { caller, target, asked, limitBytes, lacksLinks: talk.lacksLinks === true })
    } finally {
      stop()
      record.upstreamUs = Math.round(performance.now() * 1_000 - startedUs)
    }
  }
  const readKept = async (caller: Caller, view: ProfileView, asked: Asked, talk: Talk, record: CallRecord): Promise<Done> => {
    const mayUse = (id: ToolId) => targets.permissionFor(caller, view.byToolId.get(id)) !== 'refuse'
    const result = await limiting.read(caller, asked, record, mayUse)
    return { result: talk.isModern ? withCaching(result) : result }
  }
  return work
}

function createAsk({ connections, states, signInLinks }: Pick<ServingDeps, 'connections' | 'states' | 'signInLinks'>) {
  const exchange = createExchange({ states })
  /** The upstream's answer; where a person has to open something first, it is asked for and the request made once more. */
  return async (caller: Caller, target: Target, asked: Asked, talk: Talk) => {
    for (let isAgain = false; ; isAgain = true) {
      try {
        const { connectionId } = target
        const upstream = connections.now(connectionId, caller.userId) ?? (await connections.reach(connectionId, caller.userId))
        const digest = digested(await exchange(upstream, target, asked, caller, talk))
        const links = isAgain ? [] : linksIn(digest.response.error)
        if (links.length === 0 || !(await signInLinks.opened(links, talk))) return digest
      } catch (error) {
        if (!isFailure(error, 'upstream_unauthorized') && !isFailure(error, 'sign_in_needed')) throw error
        if (isAgain || !(await signInLinks.signedIn(caller, target, talk))) throw signInLinks.failure(caller, target, error)
      }
    }
  }
}

function recordOf(caller: Caller, asked: Asked): CallRecord {
  const { traceparent } = isObject(asked.params['_meta']) ? asked.params['_meta'] : {}
  return {
    action: asked.method,
    subject: subjectOf(asked),
    ...inTrail(caller),
    requestBytes: asked.bytes,
    traceId: traceIdOf(traceparent),
    contents: contentsOf(caller, asked),
  }
}

const refusing = (message: string) => new Refusal(200, { code: CODES.invalidParams, message })

/** A no that is told to the client with a code of the protocol is a refusal in the trail as well. */
function refused(error: unknown, record: CallRecord): Done {
  if (!(error instanceof Refusal)) throw error
  record.outcome = 'refused'
  record.reason = `error ${error.error.code}`
  return { refusal: error }
}

function complete(record: CallRecord, { tool, purpose }: Target, { method }: Asked): void {
  record.toolId = tool.toolId
  record.connectionId = tool.connectionId
  record.connectionName = tool.connectionName
  if (purpose !== undefined) record.purpose = purpose
  record.readOnly = method !== 'tools/call' || tool.kind === 'read'
}

/** Why what a person should look at first does not simply happen. */
function heldBack(record: CallRecord, { tool }: Target, { home, profile, userId }: Caller): string | undefined {
  if (!tool.isHeldBack) return undefined
  record.outcome = 'refused'
  record.reason = 'definition_changed'
  const changed = `${tool.connectionName} changed this tool since it was picked, and it waits until`
  // The page is the owner's alone.
  if (profile.ownerId !== userId) return `${changed} the owner of this profile has looked at the change.`
  return `${changed} somebody has looked at the change: ${home}/profiles/${profile.id}#change-${tool.toolId}`
}

function judge(record: CallRecord, { response: { result, error }, length }: Digested): void {
  record.responseBytes = length
  if (error) {
    record.outcome = 'failed'
    record.reason = `upstream_error ${error.code}`
  } else if (result['isError'] === true) record.outcome = 'tool-error'
}
