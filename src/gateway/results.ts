/** What an upstream or a failure says, put into the words of the client's revision. */
import { META, META_RELATED_TASK, META_SERVER } from '@/lib/meta-keys.ts'
import { Failure, type FailureCode } from '@/lib/failure.ts'
import type { JsonObject, JsonRpcError } from '@/plugins'
import type { Profile } from '@/profiles'
import { iconOf } from './icon.ts'
import { type Asked, CODES, isObject, metaOf, Refusal, textOf } from './messages.ts'

const VERSION = '0.1.0'
export const serverInfo = (profile: Pick<Profile, 'name' | 'title'>): JsonObject => ({
  name: `toolpass-${profile.name}`,
  title: profile.title,
  version: VERSION,
})
/** With what a client shows of it, where it is met for the first time. */
export const fullServerInfo = (profile: Profile): JsonObject => ({ ...serverInfo(profile), icons: [iconOf(profile)] })

export const saying = (text: string): JsonObject => ({ content: [{ type: 'text', text }], isError: true })

/** Every modern result says what kind it is and who gave it; never who stands behind us. */
export const modernResult = (profile: Profile, result: JsonObject): JsonObject => ({
  resultType: 'complete',
  ...result,
  _meta: { ...metaOf(result), [META_SERVER]: serverInfo(profile) },
})

/** Results that say how long they hold (2026-07-28, "Caching"); an upstream of an older revision does not say. */
export const withCaching = (result: JsonObject): JsonObject => ({ ttlMs: 0, ...result, cacheScope: 'private' })

/** Reserved metadata that older revisions know as well. */
const KNOWN_TO_LEGACY = new Set([META_RELATED_TASK])

/** A legacy client gets neither the result's type nor the reserved metadata (2025-11-25 knows none of it). */
export function legacyResult({ resultType: _, ttlMs: __, cacheScope: ___, _meta, ...rest }: JsonObject): JsonObject {
  // An object, or nothing at all: before 2026-07-28 there was no other structured content, and clients refuse the whole result.
  if ('structuredContent' in rest && !isObject(rest['structuredContent'])) delete rest['structuredContent']
  const kept = Object.entries(isObject(_meta) ? _meta : {}).filter(([name]) => !name.startsWith(META) || KNOWN_TO_LEGACY.has(name))
  return kept.length === 0 ? rest : { ...rest, _meta: Object.fromEntries(kept) }
}

/** A definition that clients of older revisions can read: their schemas are objects, and one that is none spoils the whole list. */
export function legacyDefinition(definition: JsonObject): JsonObject {
  const { inputSchema, outputSchema, ...rest } = definition
  if (inputSchema === undefined) return definition
  const isPlain = isObject(outputSchema) && outputSchema['type'] === 'object'
  const input = isObject(inputSchema) && inputSchema['type'] !== 'object' ? { ...inputSchema, type: 'object' } : inputSchema
  return { ...rest, inputSchema: input, ...(isPlain && { outputSchema }) }
}

/** These are about the talk between house and upstream, so a client must not take them for a remark about itself. */
const ABOUT_US = new Set<number>([CODES.headerMismatch, CODES.unsupportedRevision, CODES.parse, CODES.invalidRequest])

/**
 * An upstream's error with the code and the status that belong to it here. A tool's, where it is about us, is a result instead.
 * @param isRead it answers resources/read: one that is not there has a code of its own up to 2025-11-25, and an address with it later
 */
export function refusalOf(error: JsonRpcError, isModern: boolean, isRead = false): Refusal {
  const { code, data } = error
  const known: JsonRpcError = { code, message: error.message, ...(data !== undefined && { data }) }
  const isNotThere = isRead && code === CODES.invalidParams && isObject(data) && data['uri'] !== undefined
  if (!isModern) return new Refusal(200, isNotThere ? { ...known, code: CODES.resourceNotFound } : known)
  if (code === CODES.missingCapability) return new Refusal(400, known)
  // Never on 2026-07-28.
  if (code === CODES.resourceNotFound) return new Refusal(200, { ...known, code: CODES.invalidParams })
  if (code === CODES.urlElicitation) return new Refusal(200, { ...known, code: CODES.internal })
  return new Refusal(200, known)
}

export const isAboutUs = ({ code }: JsonRpcError): boolean => ABOUT_US.has(code) || code === CODES.unknownMethod
export const didNot = ({ message }: JsonRpcError): string => `The connected server did not carry this out: ${message.slice(0, 500)}`

/** A tool that cannot be used just now is a result, so that the model reads why and the other tools go on. */
const SAID_AS_RESULT: ReadonlySet<FailureCode> = new Set<FailureCode>([
  'upstream_unreachable',
  'upstream_timeout',
  'call_too_long',
  'upstream_unauthorized',
  'upstream_failed',
  'upstream_busy',
  'plugin_missing',
  'connection_not_found',
  'connection_paused',
])

/** @throws Refusal, or the failure where it is the client's own affair */
export function resultOfFailure(failure: Failure, { method, params }: Pick<Asked, 'method' | 'params'>, isModern: boolean): JsonObject {
  const isTool = method === 'tools/call'
  if (failure.code === 'tool_not_granted') throw unknown(method, params, isModern)
  if (!SAID_AS_RESULT.has(failure.code)) throw failure
  // The table's sentence: one made for the owner may name an address that a guest of an open profile should not learn. Those about a sign-in and about time were made for whoever calls.
  const isForCaller = failure.code === 'upstream_unauthorized' || failure.code === 'call_too_long'
  const said = isForCaller ? failure.message : new Failure(failure.code).message
  if (isTool) return saying(said)
  throw new Refusal(200, { code: CODES.internal, message: said })
}

/** 2025-11-25 has a code of its own for resources; later revisions have one for all that is not there. */
function unknown(method: string, { name, uri }: JsonObject, isModern: boolean): Refusal {
  if (method !== 'resources/read')
    return new Refusal(200, {
      code: CODES.invalidParams,
      message: `Unknown ${method === 'tools/call' ? 'tool' : 'prompt'}: ${textOf(name).slice(0, 200)}`,
    })
  return new Refusal(200, { code: isModern ? CODES.invalidParams : CODES.resourceNotFound, message: 'Resource not found', data: { uri } })
}
