/**
 * An upstream's answer, made into ours. It is read once, for what the audit and the client's revision ask for. A large one is not written
 * anew: ids and names are exchanged where they stand, where it is beyond doubt that they stand there, and the rest keeps its bytes.
 */
import { isUtf8 } from 'node:buffer'
import { parseJson } from '@/lib/json.ts'
import { Failure } from '@/lib/failure.ts'
import type { JsonObject, JsonRpcError, JsonRpcResponse, RequestId } from '@/plugins'
import type { Profile } from '@/profiles'
import type { Exchanged } from './exchange.ts'
import { isObject, META } from './messages.ts'
import { serverInfo } from './results.ts'

/** `bytes`: what came, where it may go on nearly as it is. */
export type Digested = { response: JsonRpcResponse; length: number; bytes?: Buffer }

const SPLICED_FROM_BYTES = 16_384
const decoder = new TextDecoder()
const unusable = () => new Failure('upstream_failed', { message: 'The connected server gave an answer that could not be read.' })

/** @throws Failure `upstream_failed` for bytes that are no answer to what was asked */
export function digested(answer: Exchanged): Digested {
  if (!('bytes' in answer) || !answer.bytes) {
    const response = answer as JsonRpcResponse
    return { response, length: Buffer.byteLength(JSON.stringify(response.result ?? response.error)) }
  }
  const { bytes, id } = answer
  let message: unknown
  try {
    message = parseJson(decoder.decode(bytes))
  } catch (cause) {
    throw new Failure('upstream_failed', { message: 'The connected server gave an answer that could not be read.', cause })
  }
  // Revision 2025-03-26 may answer with several messages at once.
  const isBatch = Array.isArray(message)
  const response = isBatch ? (message as unknown[]).find((each) => isAnswerTo(id, each)) : message
  if (!isAnswerTo(id, response)) throw unusable()
  const digest: Digested = { response, length: bytes.byteLength }
  return isBatch || bytes.byteLength < SPLICED_FROM_BYTES
    ? digest
    : { ...digest, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) }
}

function isAnswerTo(id: RequestId, message: unknown): message is JsonRpcResponse {
  if (!isObject(message) || message['jsonrpc'] !== '2.0' || message['id'] !== id) return false
  return isObject(message['result']) || isError(message['error'])
}
const isError = (value: unknown): value is JsonRpcError =>
  isObject(value) && typeof value['code'] === 'number' && typeof value['message'] === 'string'

/** `keys`: how many members the whole answer has, by our reading. */
type Splicing = {
  bytes: Buffer
  upstreamId: RequestId
  keys: number
  id: RequestId
  result: JsonObject
  profile: Profile
  isModern: boolean
}

/**
 * The whole answer for the client, or undefined where it has to be written anew: where anything stands beside the result, or a key is
 * there twice, the client could read another answer than we did, or one to another request of its.
 */
export function spliced({ bytes, upstreamId, keys, id, result, profile, isModern }: Splicing): Buffer | undefined {
  const ownId = JSON.stringify(id)
  const front = Buffer.from(`{"jsonrpc":"2.0","id":${JSON.stringify(upstreamId)},"result":{`)
  const back = Buffer.from(`},"jsonrpc":"2.0","id":${JSON.stringify(upstreamId)}}`)
  const plainFront = Buffer.from('{"result":{')
  const isFront = bytes.subarray(0, front.length).equals(front)
  const isBack = bytes.subarray(0, plainFront.length).equals(plainFront) && bytes.subarray(-back.length).equals(back)
  if ((!isFront && !isBack) || Object.keys(result).length === 0 || isSpeltOddly(bytes)) return undefined
  const from = isFront ? front.length : plainFront.length
  const to = isFront ? bytes.length - 1 : bytes.length - back.length + 1
  if (bytes[bytes.length - 1] !== CLOSING || bytes[to - 1] !== CLOSING || keys !== 3) return undefined
  const isAlone = !ALL_KEYS.some((key) => (key === '"result"' || !isFront) && isAgain(bytes.subarray(from, to), key))
  if (!isAlone && endOfObject(bytes, from) !== to) return undefined
  const inner = bytes.subarray(from, to)
  const middle = isModern ? withOurName(inner, result, profile) : withoutTheirs(inner, result)
  return middle && Buffer.concat([Buffer.from(`{"jsonrpc":"2.0","id":${ownId},"result":{`), ...middle, Buffer.from('}')])
}

/** Escapes with which a key could be spelt that is looked for below, and what is taken out of a message that is read (lib/json.ts). */
const ODD = ['\\/', '\\u002', '\\u004', '\\u005', '\\u006', '\\u007']
const isSpeltOddly = (bytes: Buffer): boolean =>
  (bytes.includes(BACKSLASH) && ODD.some((odd) => bytes.includes(odd))) || bytes.includes('__proto__') || !isUtf8(bytes)

/**
 * With three members, the last byte but one a brace: whatever stood between the result and the end would be one of the three again, and
 * would stand behind a comma, as what is first does not. The members of other objects do as well; then it is looked at closely.
 */
const ALL_KEYS = ['"result"', '"id"', '"jsonrpc"']
function isAgain(inner: Buffer, key: string): boolean {
  for (let at = inner.indexOf(key); at !== -1; at = inner.indexOf(key, at + 1)) {
    let before = at - 1
    while (SPACES.has(inner[before] ?? 0)) before -= 1
    if (inner[before] === COMMA) return true
  }
  return false
}

/** Behind the brace that closes the object whose members begin here. What is read is JSON, so nothing else has to be looked at. */
function endOfObject(bytes: Buffer, from: number): number {
  let depth = 1
  for (let at = from; at < bytes.length; at += 1) {
    const code = bytes[at]
    if (code === QUOTE) at = endOfString(bytes, at)
    else if (code === OPENING) depth += 1
    else if (code === CLOSING) {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
  return -1
}
/** Its end is searched for: most of a large answer is text. */
function endOfString(bytes: Buffer, start: number): number {
  for (let at = bytes.indexOf(QUOTE, start + 1); at !== -1; at = bytes.indexOf(QUOTE, at + 1)) {
    let backslashes = 0
    while (bytes[at - 1 - backslashes] === BACKSLASH) backslashes += 1
    if (backslashes % 2 === 0) return at
  }
  return bytes.length
}

const [QUOTE, COMMA, BACKSLASH, OPENING] = [34, 44, 92, 123]
const SPACES = new Set([9, 10, 13, 32])
const CLOSING = '}'.charCodeAt(0)
const SERVER_INFO = `${META}serverInfo`

/** Who gave the answer is us; a result of an older revision gets what every modern one has. */
function withOurName(inner: Buffer, result: JsonObject, profile: Profile): Buffer[] | undefined {
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
function withoutTheirs(inner: Buffer, result: JsonObject): Buffer[] | undefined {
  if ('structuredContent' in result && !isObject(result['structuredContent'])) return undefined
  return isObject(result['_meta']) && result['_meta'][SERVER_INFO] !== undefined ? undefined : [inner]
}
