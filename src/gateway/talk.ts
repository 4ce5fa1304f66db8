/** What a client can hear and be asked while a request of its is served, whatever its revision. */
import { META_CAPABILITIES, META_CLIENT, META_LOG_LEVEL } from '@/lib/meta-keys.ts'
import type { ConnectionId } from '@/lib/ids.ts'
import type { JsonObject, RequestId } from '@/plugins'
import { CODES, isObject, Refusal, textOf } from './messages.ts'

export type Question = { method: string; params: JsonObject }
export type Talk = {
  isModern: boolean
  /** Aborts when the client gives up, or its grant ends. */
  signal: AbortSignal
  /** Says where the call goes, so that it can be ended when that is paused. */
  reaches(id: ConnectionId): void
  /** What this client can be asked, as it declared. */
  capabilities: JsonObject
  /** What a modern upstream is told of the client: capabilities, name, level of remarks. */
  meta: JsonObject
  /** `Mcp-Param-*`, passed on as they came. */
  headers?: Record<string, string>
  progressToken?: RequestId
  logLevel?: string
  /** Whose questions and remarks may meet: one grant, one session. */
  group: string
  /** Its revision knows no links to resources in results. */
  lacksLinks?: boolean
  tell(notification: Question): void
  /** Rejects with `AskRefused` where the client says no. */
  ask(question: Question, signal: AbortSignal): Promise<JsonObject>
}

const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency']
export const isLevel = (level: unknown): level is string => typeof level === 'string' && LEVELS.includes(level)
/** Whether a remark of this level is wanted by who asked for that one; who asked for none gets none. */
export const isLoudEnough = (level: unknown, wanted: string | undefined): boolean =>
  wanted !== undefined && LEVELS.indexOf(textOf(level)) >= LEVELS.indexOf(wanted)

/** What a client must have declared to be asked this; undefined where it has. */
export function lacking(capabilities: JsonObject, { method, params }: Question): JsonObject | undefined {
  if (method === 'roots/list') return isObject(capabilities['roots']) ? undefined : { roots: {} }
  if (method === 'sampling/createMessage') {
    const sampling = capabilities['sampling']
    const needed = params['tools'] === undefined ? {} : { tools: {} }
    return isObject(sampling) && Object.keys(needed).every((name) => isObject(sampling[name])) ? undefined : { sampling: needed }
  }
  if (method === 'elicitation/create') {
    const elicitation = capabilities['elicitation']
    const mode = params['mode'] === 'url' ? 'url' : 'form'
    // An empty object is the form, as it was before there were two (2025-11-25, "Elicitation").
    const isForm = isObject(elicitation) && (isObject(elicitation['form']) || elicitation['url'] === undefined)
    const isOffered = mode === 'form' ? isForm : isObject(elicitation) && isObject(elicitation['url'])
    return isOffered ? undefined : { elicitation: { [mode]: {} } }
  }
  return { [method.slice(0, 60)]: {} }
}

export const missingCapability = (needed: JsonObject): Refusal =>
  new Refusal(400, {
    code: CODES.missingCapability,
    message: 'The app does not offer what the connected server asks for.',
    data: { requiredCapabilities: needed },
  })

/** The `_meta` that goes to a modern upstream for a client of an older revision. */
export const metaFor = (capabilities: JsonObject, clientInfo: JsonObject, logLevel: string | null | undefined): JsonObject => ({
  [META_CAPABILITIES]: capabilities,
  ...(typeof clientInfo['name'] === 'string' && typeof clientInfo['version'] === 'string' && { [META_CLIENT]: clientInfo }),
  ...(typeof logLevel === 'string' && { [META_LOG_LEVEL]: logLevel }),
})
