/** What an upstream or a failure says, put into the words of the client's revision. */
import { Failure, type FailureCode } from '@/lib/failure.ts'
import type { JsonObject, JsonRpcError, JsonRpcResponse } from '@/plugins'
import type { Profile, ProfileTool } from '@/profiles'
import { CODES, isObject, META, metaOf, Refusal } from './messages.ts'

const VERSION = '0.1.0'
export const serverInfo = (profile: Profile) => ({ name: `toolpass-${profile.name}`, title: profile.title, version: VERSION })

const saying = (text: string): JsonObject => ({ content: [{ type: 'text', text }], isError: true })

/** Every modern result says that it is complete and who gave it; never who stands behind us. */
export function modernResult(profile: Profile, result: JsonObject): JsonObject {
  return { resultType: 'complete', ...result, _meta: { ...metaOf(result), [`${META}serverInfo`]: serverInfo(profile) } }
}

/** A legacy client gets neither the result's type nor the reserved metadata (2025-11-25 knows none of it). */
export function legacyResult(result: JsonObject): JsonObject {
  const { resultType, _meta, ...rest } = result
  if (resultType === 'input_required')
    return saying('The connected server asks for more input, which this app cannot give with the protocol revision it speaks.')
  const meta = Object.fromEntries(Object.entries(isObject(_meta) ? _meta : {}).filter(([name]) => !name.startsWith(META)))
  return Object.keys(meta).length === 0 ? rest : { ...rest, _meta: meta }
}

/** These are about the talk between house and upstream, so a client must not take them for a remark about itself. */
const ABOUT_US = new Set<number>([CODES.headerMismatch, CODES.unsupportedRevision, CODES.unknownMethod, CODES.parse, CODES.invalidRequest])
/** Never on 2026-07-28. */
const LEGACY_ONLY = new Set([-32002, -32042])

/** @throws Refusal for an upstream's error, rebuilt with the status that belongs to it here */
export function resultOf({ result, error }: JsonRpcResponse, isModern: boolean): JsonObject {
  if (result) return result
  if (ABOUT_US.has(error.code) || (isModern && LEGACY_ONLY.has(error.code)))
    return saying(`The connected server did not carry this out: ${error.message.slice(0, 500)}`)
  const known: JsonRpcError = { code: error.code, message: error.message, ...(error.data !== undefined && { data: error.data }) }
  throw new Refusal(isModern && error.code === CODES.missingCapability ? 400 : 200, known)
}

/** A tool that cannot be used just now is a result, so that the model reads why and the other tools go on. */
const SAID_AS_RESULT: ReadonlySet<FailureCode> = new Set<FailureCode>([
  'upstream_unreachable',
  'upstream_timeout',
  'upstream_unauthorized',
  'upstream_failed',
  'upstream_busy',
  'plugin_missing',
  'connection_not_found',
])

/** @throws Refusal */
export function resultOfFailure(failure: Failure, name: unknown): JsonObject {
  if (failure.code === 'tool_not_granted')
    throw new Refusal(200, { code: CODES.invalidParams, message: `Unknown tool: ${String(name).slice(0, 200)}` })
  if (!SAID_AS_RESULT.has(failure.code)) throw failure
  // The table's sentence: one made for the owner may name an address that a guest of an open profile should not learn. The one about a sign-in was made for whoever calls.
  return saying(failure.code === 'upstream_unauthorized' ? failure.message : new Failure(failure.code).message)
}

export const exposedDefinition = ({ definition, exposedName }: ProfileTool): JsonObject => ({ ...definition, name: exposedName })
