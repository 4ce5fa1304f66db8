/** Limits as a call meets them: whether it may be made, how long it may take, and how much of its result goes on. */
import type { CallRecord } from '@/audit'
import { type Allowance, CALLS_AT_ONCE_DEFAULT, type Kept, type LimitReached, type Limits } from '@/grants'
import { SECOND_MS } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import type { ToolId } from '@/lib/ids.ts'
import type { JsonObject } from '@/plugins'
import type { ProfileTool } from '@/profiles'
import type { Caller } from './caller.ts'
import type { Calls } from './calls.ts'
import { cutError, cutResult, sizeInWords } from './cutting.ts'
import type { Digested } from './digest.ts'
import { type Asked, isObject, textOf } from './messages.ts'
import type { Talk } from './talk.ts'
import type { Target } from './targets.ts'

/** What was kept whole is read by this address. A server's own resource of such an address is not reached by it. */
const KEPT = 'toolpass://results/'

export type LimitingDeps = {
  limits: Pick<Limits, 'take' | 'any' | 'resultBytesOf'>
  kept: Pick<Kept, 'keep' | 'read'>
  calls: Pick<Calls, 'running'>
}
type Cutting = { caller: Caller; target: Target; asked: Asked; lacksLinks: boolean; limitBytes: number }

type As = { method: string; uri: string; limitBytes: number; lacksLinks: boolean }

/** As it is kept: of which tool it is, and contents of a resource without their address. */
type Whole = { toolId: ToolId; contents: JsonObject[] }

export function createLimiting({ limits, kept, calls }: LimitingDeps) {
  const shorten = async (result: JsonObject, length: number, caller: Caller, tool: ProfileTool, as: As): Promise<JsonObject> => {
    if ((result['resultType'] ?? 'complete') !== 'complete' || result['task'] !== undefined) return result
    const cut = cutResult(result, as.limitBytes, { ...as, hasOutputSchema: isObject(tool.definition['outputSchema']) })
    if (!cut) return result
    const id = await kept.keep(caller.grant.id, JSON.stringify({ toolId: tool.toolId, contents: cut.whole } satisfies Whole))
    const note = `[Cut by Toolpass: the whole result has ${sizeInWords(length)}, and ${sizeInWords(as.limitBytes)} are allowed here. ${
      id === undefined ? 'It is too large to be kept.' : `Within an hour the whole of it is the resource ${KEPT}${id}`
    }]`
    return cut.noted(note, id === undefined || as.lacksLinks ? undefined : linkTo(id, length))
  }
  return {
    /** One call more, or why not. @param own calls under way that are this one */
    take(caller: Caller, target: Target | undefined, own: number): Allowance | LimitReached | undefined {
      const running = calls.running(caller.grant.id) - own
      if (!limits.any() && running < CALLS_AT_ONCE_DEFAULT) return undefined
      const on = target && { connectionId: target.connectionId, connectionName: target.tool.connectionName }
      return limits.take({ grantId: caller.grant.id, userId: caller.userId, ...on }, running)
    },
    /** The result as far as it may go on, if it has to be cut. */
    async cut(digest: Digested, { caller, target, asked, limitBytes, lacksLinks }: Cutting): Promise<Digested> {
      const { result, error } = digest.response
      if (error) return { ...digest, response: { ...digest.response, error: cutError(error, limitBytes) } }
      const as = { method: asked.method, uri: textOf(asked.params['uri']), limitBytes, lacksLinks }
      const left = await shorten(result, digest.length, caller, target.tool, as)
      return left === result ? digest : { response: { ...digest.response, result: left }, length: digest.length }
    },
    /** Of a task's result, which comes by another request than its call. */
    async cutLate(result: JsonObject, caller: Caller, tool: ProfileTool, lacksLinks: boolean): Promise<JsonObject> {
      if (!limits.any()) return result
      const limitBytes = Math.min(...[caller.grant.id, caller.userId, tool.connectionId].map((id) => limits.resultBytesOf(id)))
      if (!Number.isFinite(limitBytes)) return result
      const length = Buffer.byteLength(JSON.stringify(result))
      return length <= limitBytes
        ? result
        : shorten(result, length, caller, tool, { method: 'tools/call', uri: '', limitBytes, lacksLinks })
    },
    isKept: (asked: Asked): boolean => asked.method === 'resources/read' && textOf(asked.params['uri']).startsWith(KEPT),
    /**
     * @param mayUse a tool, by now: what an app may not call any more it does not read on either
     * @throws Failure `tool_not_granted` where there is none, or none of this grant's
     */
    async read(caller: Caller, asked: Asked, record: CallRecord, mayUse: (id: ToolId) => boolean): Promise<JsonObject> {
      const uri = textOf(asked.params['uri'])
      record.readOnly = true
      const text = await kept.read(caller.grant.id, uri.slice(KEPT.length))
      const whole = text === undefined ? undefined : (JSON.parse(text) as Whole)
      if (!whole || !mayUse(whole.toolId)) throw new Failure('tool_not_granted')
      record.responseBytes = Buffer.byteLength(JSON.stringify(whole.contents))
      return { contents: whole.contents.map((content) => ({ uri, ...content })) }
    },
    /** Whether results that this caller gets may have to be read on. */
    mayCut: ({ grant, userId }: Caller, connections: readonly Target['connectionId'][]): boolean =>
      limits.any() && [grant.id, userId, ...connections].some((id) => Number.isFinite(limits.resultBytesOf(id))),
  }
}
export type Limiting = ReturnType<typeof createLimiting>

/** Into the row of a call that was turned away. */
export function noteLimit(record: CallRecord, { of, limit, message }: LimitReached): void {
  record.outcome = 'refused'
  record.reason = message
  record.detail = { ...record.detail, limit, of }
}

const linkTo = (id: string, size: number): JsonObject => ({
  type: 'resource_link',
  uri: KEPT + id,
  name: 'The whole result',
  description: 'What was cut off, for an hour.',
  size,
})

export const tooLong = (ms: number): Failure =>
  new Failure('call_too_long', { message: `The call took longer than its limit of ${ms / SECOND_MS} s, and was ended.` })

/** The talk, ended when the time is over. @returns how to stop the clock as well */
export function timed(talk: Talk, ms: number): { talk: Talk; stop(): void } {
  if (!Number.isFinite(ms)) return { talk, stop: () => undefined }
  const ending = new AbortController()
  const onAbort = () => ending.abort(talk.signal.reason)
  if (talk.signal.aborted) onAbort()
  else talk.signal.addEventListener('abort', onAbort, { once: true })
  const timer = setTimeout(() => ending.abort(tooLong(ms)), ms)
  return { talk: { ...talk, signal: ending.signal }, stop: () => clearTimeout(timer) }
}
