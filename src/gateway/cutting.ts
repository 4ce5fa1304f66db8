/** A result that is larger than its limit: cut where its text may be cut, so that it stays what its kind of result is. */
import type { JsonObject, JsonRpcError } from '@/plugins'
import { isObject, textOf } from './messages.ts'

export type Cut = {
  /** All of it, as contents of a resource without their address. */
  whole: JsonObject[]
  /** What is left, with a note that says so, and a link where the client knows them. */
  noted(note: string, link: JsonObject | undefined): JsonObject
}
type Budget = { left: number; isCut: boolean; remarks: number }
type Kind = { method: string; uri: string; hasOutputSchema: boolean }

/** Of what is left out entirely so many pieces are named; more would be as long as what was left out. */
const REMARKS_MAX = 10

export const sizeInWords = (bytes: number): string =>
  bytes >= 1_000_000 ? `${(bytes / 1_000_000).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1_000))} kB`
const jsonBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))
const said = (text: string): JsonObject => ({ type: 'text', text })
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

/** As much of a text as fits, no character in halves. */
export function cutText(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text)
  if (bytes.byteLength <= bytesMax) return text
  let end = Math.max(0, bytesMax)
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return bytes.subarray(0, end).toString('utf8')
}

/** Undefined where nothing had to be cut: its text is within the limit, and what is around it is not counted. */
export function cutResult(result: JsonObject, limitBytes: number, kind: Kind): Cut | undefined {
  const budget: Budget = { left: limitBytes, isCut: false, remarks: 0 }
  if (kind.method === 'tools/call') return ofTool(result, budget, kind)
  return kind.method === 'prompts/get' ? ofPrompt(result, budget) : ofResource(result, budget, kind)
}

/** Nobody reads an error on: what of it does not fit is left out, and what it is about goes before what goes along with it. */
export function cutError({ code, message, data }: JsonRpcError, limitBytes: number): JsonRpcError {
  const cut = cutText(message, limitBytes)
  const isDataWithin = data !== undefined && Buffer.byteLength(cut) + jsonBytes(data) <= limitBytes
  return { code, message: cut === message ? message : `${cut} [Cut by Toolpass]`, ...(isDataWithin && { data }) }
}

function ofTool({ content, structuredContent, ...rest }: JsonObject, budget: Budget, { hasOutputSchema }: Kind): Cut | undefined {
  const whole = [...listOf(content).map(asContent), ...(structuredContent === undefined ? [] : [inJson(structuredContent)])]
  // Who was promised a structure looks for it first of all, and who was not reads the text.
  const keepsFirst = hasOutputSchema && structuredContent !== undefined && fits(structuredContent, budget)
  const blocks = listOf(content).flatMap((block) => blockWithin(block, budget))
  const keeps = keepsFirst || (structuredContent !== undefined && !hasOutputSchema && fits(structuredContent, budget))
  if (!budget.isCut) return undefined
  return {
    whole,
    noted: (note, link) => ({
      ...rest,
      content: [...blocks, said(note), ...(link ? [link] : [])],
      ...(keeps && { structuredContent }),
      // A client that knows the schema refuses a result without its structure, unless it is an error.
      ...(hasOutputSchema && structuredContent !== undefined && !keeps && { isError: true }),
    }),
  }
}

function ofResource({ contents, ...rest }: JsonObject, budget: Budget, { uri }: Kind): Cut | undefined {
  const left = listOf(contents).flatMap((content) => contentWithin(content, budget))
  if (!budget.isCut) return undefined
  const whole = listOf(contents).map((content) => (isObject(content) ? withoutUri(content) : inJson(content)))
  return { whole, noted: (note) => ({ ...rest, contents: [...left, { uri, mimeType: 'text/plain', text: note }] }) }
}

function ofPrompt(result: JsonObject, budget: Budget): Cut | undefined {
  const { messages, ...rest } = result
  const left = listOf(messages).flatMap((message) => {
    if (!isObject(message)) return []
    const [content] = blockWithin(message['content'], budget)
    return content === undefined ? [] : [{ ...message, content }]
  })
  if (!budget.isCut) return undefined
  return { whole: [inJson(result)], noted: (note) => ({ ...rest, messages: [...left, { role: 'user', content: said(note) }] }) }
}

function textWithin(text: string, budget: Budget): string {
  const cut = cutText(text, budget.left)
  budget.left -= Buffer.byteLength(cut)
  if (cut.length < text.length) budget.isCut = true
  return cut
}

/** What is no text goes whole or not at all. */
function fits(value: unknown, budget: Budget): boolean {
  const bytes = jsonBytes(value)
  const isWithin = bytes <= budget.left
  if (isWithin) budget.left -= bytes
  else budget.isCut = true
  return isWithin
}

/** One line for a piece that was left out. */
function remark(what: string, value: unknown, budget: Budget): string | undefined {
  budget.remarks += 1
  return budget.remarks > REMARKS_MAX ? undefined : `[${(what || 'something').slice(0, 60)} of ${sizeInWords(jsonBytes(value))} left out]`
}

function blockWithin(block: unknown, budget: Budget): unknown[] {
  if (!isObject(block)) return [block]
  const { type, mimeType, resource, text } = block
  if (type === 'text' && typeof text === 'string') {
    const cut = textWithin(text, budget)
    return cut === '' && text !== '' ? [] : [{ ...block, text: cut }]
  }
  if (type === 'resource' && isObject(resource) && typeof resource['text'] === 'string') {
    const cut = textWithin(resource['text'], budget)
    return cut === '' && resource['text'] !== '' ? [] : [{ ...block, resource: { ...resource, text: cut } }]
  }
  if (fits(block, budget)) return [block]
  const line = remark(textOf(mimeType) || textOf(type), block, budget)
  return line === undefined ? [] : [said(line)]
}

function contentWithin(content: unknown, budget: Budget): unknown[] {
  if (!isObject(content)) return [content]
  if (typeof content['text'] === 'string') {
    const cut = textWithin(content['text'], budget)
    return cut === '' && content['text'] !== '' ? [] : [{ ...content, text: cut }]
  }
  if (fits(content, budget)) return [content]
  const { blob: _, mimeType, ...rest } = content
  const line = remark(textOf(mimeType), content, budget)
  return line === undefined ? [] : [{ ...rest, mimeType: 'text/plain', text: line }]
}

const inJson = (value: unknown): JsonObject => ({ mimeType: 'application/json', text: JSON.stringify(value) })
const withoutUri = ({ uri: _, ...content }: JsonObject): JsonObject => content

/** A block of a tool's result as contents of a resource. */
function asContent(block: unknown): JsonObject {
  if (!isObject(block)) return inJson(block)
  const { type, text, data, mimeType, resource } = block
  if (type === 'text' && typeof text === 'string') return { mimeType: 'text/plain', text }
  if ((type === 'image' || type === 'audio') && typeof data === 'string') return { mimeType, blob: data }
  return type === 'resource' && isObject(resource) ? withoutUri(resource) : inJson(block)
}
