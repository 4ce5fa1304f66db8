import type { JsonObject, RequestBody, RequestId } from '@/plugins/api.ts'
import { requestText } from '../request-text.ts'

/** A line is a message, a batch of them (revision 2025-03-26), or stray output. */
export function parseMessages(line: string): JsonObject[] | undefined {
  try {
    const parsed: unknown = JSON.parse(line)
    const messages = Array.isArray(parsed) ? parsed : [parsed]
    return messages.every(isMessage) ? messages : undefined
  } catch {
    return undefined
  }
}

const isMessage = (value: unknown): value is JsonObject => {
  if (typeof value !== 'object' || value === null || (value as JsonObject)['jsonrpc'] !== '2.0') return false
  const { method, id, result, error } = value as JsonObject
  if (method !== undefined) return typeof method === 'string' && (id === undefined || isId(id))
  return isId(id) && (isObject(result) || (isObject(error) && typeof error['code'] === 'number' && typeof error['message'] === 'string'))
}
const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)
const isId = (value: unknown): value is RequestId => typeof value === 'string' || typeof value === 'number'

/** As the SDKs write an answer: what it is and whose first, or last. */
const ID_FIRST = { front: '{"jsonrpc":"2.0","id":', back: ',"result":{' }
const ID_LAST = { front: '{"result":{', back: '},"jsonrpc":"2.0","id":' }
const [ZERO, NINE, CLOSING] = ['0', '9', '}'].map((letter) => letter.charCodeAt(0)) as [number, number, number]
const DIGITS_MAX = 15

/**
 * The id of a line that looks like a result, by where it stands in what programs write nearly always; undefined for whatever looks
 * otherwise. Whether it is one shows when it is read, which this spares those who only have to pass it on.
 */
export function idAnswered(line: Uint8Array): number | undefined {
  const end = line.length - 1
  if (line[end] !== CLOSING) return undefined
  if (standsAt(line, 0, ID_FIRST.front)) {
    let at = ID_FIRST.front.length
    while (isDigit(line[at])) at += 1
    return standsAt(line, at, ID_FIRST.back) ? numberIn(line, ID_FIRST.front.length, at) : undefined
  }
  if (!standsAt(line, 0, ID_LAST.front)) return undefined
  let from = end
  while (isDigit(line[from - 1])) from -= 1
  return standsAt(line, from - ID_LAST.back.length, ID_LAST.back) ? numberIn(line, from, end) : undefined
}

const isDigit = (code: number | undefined): boolean => code !== undefined && code >= ZERO && code <= NINE

function standsAt(line: Uint8Array, from: number, text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (line[from + at] !== text.charCodeAt(at)) return false
  return true
}

function numberIn(line: Uint8Array, from: number, to: number): number | undefined {
  if (to === from || to - from > DIGITS_MAX) return undefined
  let number = 0
  for (let at = from; at < to; at += 1) number = number * 10 + (line[at] as number) - ZERO
  return number
}

/**
 * A message that is JSON already, in one line: a line end would cut it in two, and let its sender begin a message of their own. Between
 * the strings of a JSON text, where alone they can stand, it means the same as a space. Some programs take a lone CR for one as well.
 */
export function inOneLine(body: RequestBody): string {
  const text = requestText(body)
  return text.includes('\n') || text.includes('\r') ? text.replace(/[\r\n]/g, ' ') : text
}
