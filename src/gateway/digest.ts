/**
 * An upstream's answer, made into ours. It is read once, for what the audit and the client's revision ask for. A large one is not written
 * anew: ids and names are exchanged where they stand, where it is beyond doubt that they stand there, and the rest keeps its bytes.
 */
import { META_SERVER } from '@/lib/meta-keys.ts'
import { isUtf8 } from 'node:buffer'
import { type Outline, readJson } from '@/lib/json.ts'
import { Failure } from '@/lib/failure.ts'
import type { JsonObject, JsonRpcError, JsonRpcResponse, RequestId } from '@/plugins'
import type { Profile } from '@/profiles'
import type { Exchanged } from './exchange.ts'
import { isObject } from './messages.ts'
import { serverInfo } from './results.ts'

export type Bytes = Buffer<ArrayBuffer>
/** What came, where it may go on nearly as it is. */
export type Came = { bytes: Bytes; outline: Outline }
export type Digested = { response: JsonRpcResponse; length: number; came?: Came }

const decoder = new TextDecoder()
const unusable = () => new Failure('upstream_failed', { message: 'The connected server gave an answer that could not be read.' })

/** @throws Failure `upstream_failed` for bytes that are no answer to what was asked */
export function digested(answer: Exchanged): Digested {
  if (!('bytes' in answer) || !answer.bytes) {
    const response = answer as JsonRpcResponse
    return { response, length: Buffer.byteLength(JSON.stringify(response.result ?? response.error)) }
  }
  const { bytes, id } = answer
  let read: ReturnType<typeof readJson>
  try {
    read = readJson(decoder.decode(bytes), bytes.byteLength)
  } catch (cause) {
    throw new Failure('upstream_failed', { message: 'The connected server gave an answer that could not be read.', cause })
  }
  const { value: message, outline } = read
  // Revision 2025-03-26 may answer with several messages at once.
  const isBatch = Array.isArray(message)
  const response = isBatch ? (message as unknown[]).find((each) => isAnswerTo(id, each)) : message
  if (!isAnswerTo(id, response)) throw unusable()
  const digest: Digested = { response, length: bytes.byteLength }
  if (isBatch || !outline) return digest
  return { ...digest, came: { bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), outline } }
}

function isAnswerTo(id: RequestId, message: unknown): message is JsonRpcResponse {
  if (!isObject(message) || message['jsonrpc'] !== '2.0' || message['id'] !== id) return false
  return isObject(message['result']) || isError(message['error'])
}
const isError = (value: unknown): value is JsonRpcError =>
  isObject(value) && typeof value['code'] === 'number' && typeof value['message'] === 'string'

type Splicing = Came & { upstreamId: RequestId; id: RequestId; result: JsonObject; profile: Profile; isModern: boolean }

/**
 * The whole answer for the client, in pieces of what came, or undefined where it has to be written anew: where anything stands beside the
 * result, a key is there twice or spelt with an escape, the client could read another answer than we did, or one to another request of its.
 */
export function spliced({ bytes, outline, upstreamId, id, result, profile, isModern }: Splicing): readonly Bytes[] | undefined {
  const plainId = JSON.stringify(upstreamId)
  const front = `{"jsonrpc":"2.0","id":${plainId},"result":{`
  const back = `},"jsonrpc":"2.0","id":${plainId}}`
  const start = bytes.toString('latin1', 0, front.length)
  const isFront = start === front
  const isBack = start.startsWith(PLAIN_FRONT) && bytes.toString('latin1', Math.max(0, bytes.length - back.length)) === back
  if ((!isFront && !isBack) || Object.keys(result).length === 0 || !isPlain(outline) || !isUtf8(bytes)) return undefined
  // With no other members than these, the last byte but one a brace, it is the one that closes the result.
  const from = isFront ? front.length : PLAIN_FRONT.length
  const to = isFront ? bytes.length - 1 : bytes.length - back.length + 1
  if (bytes[bytes.length - 1] !== CLOSING || bytes[to - 1] !== CLOSING) return undefined
  const inner = bytes.subarray(from, to)
  const middle = isModern ? withOurName(inner, result, profile) : withoutTheirs(inner, result)
  return middle && [Buffer.from(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{`), ...middle, END]
}

const PLAIN_FRONT = '{"result":{'
/** Written, and never changed. */
const END = Buffer.from('}')

const MEMBERS = new Set(['jsonrpc', 'id', 'result'])
const isPlain = ({ outer, isOdd, hasDisguisedKeys }: Outline): boolean =>
  !isOdd &&
  !hasDisguisedKeys &&
  outer.length === 3 &&
  outer.every(({ spelt }) => MEMBERS.has(spelt)) &&
  new Set(outer.map(({ spelt }) => spelt)).size === 3

const CLOSING = '}'.charCodeAt(0)
const SERVER_INFO = META_SERVER

/** Who gave the answer is us; a result of an older revision gets what every modern one has. */
function withOurName(inner: Bytes, result: JsonObject, profile: Profile): Bytes[] | undefined {
  const ours = JSON.stringify(serverInfo(profile))
  const type = result['resultType'] === undefined ? '"resultType":"complete",' : ''
  const { _meta } = result
  if (_meta === undefined) return [Buffer.from(`${type}"_meta":{"${SERVER_INFO}":${ours}},`), inner]
  if (!isObject(_meta) || _meta[SERVER_INFO] === undefined || type !== '') return undefined
  const theirs = Buffer.from(`"${SERVER_INFO}":${JSON.stringify(_meta[SERVER_INFO])}`)
  // Something of the same name elsewhere is not told apart from it.
  const at = inner.indexOf(`"${SERVER_INFO}"`)
  if (inner.indexOf(theirs) !== at || inner.indexOf(`"${SERVER_INFO}"`, at + 1) !== -1) return undefined
  return [inner.subarray(0, at), Buffer.from(`"${SERVER_INFO}":${ours}`), inner.subarray(at + theirs.length)]
}

/** Nothing has to go: what an older revision does not know, its clients pass over. What they would choke on is written anew. */
function withoutTheirs(inner: Bytes, result: JsonObject): Bytes[] | undefined {
  if ('structuredContent' in result && !isObject(result['structuredContent'])) return undefined
  return isObject(result['_meta']) && result['_meta'][SERVER_INFO] !== undefined ? undefined : [inner]
}
