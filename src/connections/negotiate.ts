import { META_SERVER } from '@/lib/meta-keys.ts'
import { ChannelError, type JsonObject, type JsonRpcResponse } from '@/plugins'
import { isFailure } from '@/lib/failure.ts'
import { type Agreed, isObject, MODERN_REVISION, modernMeta, OURSELVES, type Session } from './session.ts'

const LEGACY_REVISION = '2025-11-25'
const LEGACY_REVISIONS = new Set(['2024-11-05', '2025-03-26', '2025-06-18', LEGACY_REVISION])
/**
 * What clients may offer, said once for all of them, since a channel serves several. Who calls without offering it answers a question
 * with a no (asking.ts).
 */
const OFFERED = { roots: { listChanged: true }, sampling: { tools: {}, context: {} }, elicitation: { form: {}, url: {} } }
const DISCOVER_TIMEOUT_MS = 8_000
const INITIALIZE_TIMEOUT_MS = 30_000
/** Errors that only a modern server gives: it understood the question and disliked something in it. */
const MODERN_ERRORS = new Set([-32020, -32021])

const UNSUPPORTED_REVISION = -32022
const namesOurs = (data: unknown): boolean => isObject(data) && [data['supported']].flat().includes(MODERN_REVISION)

/** Neither way of speaking was understood, or the pipe broke over the question. */
export type Attempt = Agreed | 'not-understood'

/**
 * Finds the revision (2026-07-28, "Versioning"): a modern request first, `initialize` when it is not understood. What was
 * agreed last time is tried first, so that a known upstream costs no extra round trip.
 */
export async function negotiate(session: Session, remembered: string | null, signal: AbortSignal): Promise<Agreed> {
  const isKnownLegacy = remembered !== null && LEGACY_REVISIONS.has(remembered)
  const [first, second] = isKnownLegacy ? [initialize, discover] : [discover, initialize]
  const attempt = await first(session, signal)
  const agreed = attempt === 'not-understood' ? await second(session, signal) : attempt
  if (agreed === 'not-understood')
    throw new ChannelError('refused', 'The server answers, but speaks no revision of MCP that Toolpass knows.')
  session.agree(agreed)
  return agreed
}

async function discover(session: Session, signal: AbortSignal, isAgain = false): Promise<Attempt> {
  const response = await tolerant(session.request('server/discover', {}, { signal, timeoutMs: DISCOVER_TIMEOUT_MS, ...asModern(session) }))
  // It knows the question, disliked the revision, and names ours among those it takes: asked once more, it may agree.
  const isOffered = response?.error?.code === UNSUPPORTED_REVISION && namesOurs(response.error.data)
  if (isOffered && !isAgain) return discover(session, signal, true)
  if (response?.error && MODERN_ERRORS.has(response.error.code))
    throw new ChannelError('refused', 'The server asks for something that Toolpass does not offer yet.')
  const result = response?.result
  const versions = result?.['supportedVersions']
  if (!result || !Array.isArray(versions) || !versions.includes(MODERN_REVISION)) return 'not-understood'
  const meta = isObject(result['_meta']) ? result['_meta'] : {}
  return agreedOn(MODERN_REVISION, true, result, meta[META_SERVER] ?? result['serverInfo'])
}

/** Until both sides agree the session adds no metadata of its own, so the question is marked as modern beforehand. */
function asModern(session: Session): { meta: JsonObject } {
  session.agree({ revision: MODERN_REVISION, isModern: true, capabilities: {}, serverInfo: {} })
  return { meta: modernMeta() }
}

async function initialize(session: Session, signal: AbortSignal): Promise<Attempt> {
  session.agree({ revision: LEGACY_REVISION, isModern: false, capabilities: {}, serverInfo: {} })
  const params = { protocolVersion: LEGACY_REVISION, capabilities: OFFERED, clientInfo: OURSELVES }
  const response = await tolerant(session.request('initialize', params, { signal, timeoutMs: INITIALIZE_TIMEOUT_MS }))
  const result = response?.result
  const revision = result?.['protocolVersion']
  if (!result || typeof revision !== 'string' || !LEGACY_REVISIONS.has(revision)) return 'not-understood'
  await session.channel.notify({ jsonrpc: '2.0', method: 'notifications/initialized' })
  return agreedOn(revision, false, result, result['serverInfo'])
}

function agreedOn(revision: string, isModern: boolean, result: JsonObject, serverInfo: unknown): Agreed {
  const { capabilities, instructions } = result
  return {
    revision,
    isModern,
    capabilities: isObject(capabilities) ? capabilities : {},
    serverInfo: isObject(serverInfo) ? serverInfo : {},
    ...(typeof instructions === 'string' ? { instructions } : {}),
  }
}

/** An upstream may answer a question of the other era with any refusal, or with silence; both mean: try the other way. */
async function tolerant(answer: Promise<JsonRpcResponse>): Promise<JsonRpcResponse | undefined> {
  try {
    return await answer
  } catch (error) {
    if (isFailure(error, 'upstream_timeout')) return undefined
    if (error instanceof ChannelError && ['refused', 'expired', 'invalid'].includes(error.kind)) return undefined
    throw error
  }
}
