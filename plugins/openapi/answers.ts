import type { JsonObject } from '@/plugins/api.ts'
import { isObject, toolError, type ToolResult } from '../local-server.ts'
import { readBytes } from '../read-bytes.ts'

const BODY_BYTES_MAX = 4 * 1024 * 1024
const TEXT_CHARS_MAX = 400_000
const ERROR_CHARS_MAX = 4_000
const JSON_DEPTH_MAX = 48

const CUT = '\n\n(The answer is longer and was cut here.)'

/** What an API answered, as the result of a tool. `hasOutputSchema`: a structured answer was promised. */
export async function toResult(response: Response, hasOutputSchema: boolean): Promise<ToolResult> {
  const type = (response.headers.get('content-type') ?? '').toLowerCase()
  const mediaType = type.split(';')[0]?.trim() ?? ''
  const { bytes, isCut } = await readBytes(response, BODY_BYTES_MAX)
  if (!response.ok) return refusal(response.status, isTextual(mediaType) ? decode(bytes, type) : '', response.headers.get('location'))
  const result = success(response.status, mediaType, bytes, isCut, type)
  return hasOutputSchema && result['structuredContent'] === undefined ? { ...result, structuredContent: {} } : result
}

function refusal(status: number, text: string, location: string | null): ToolResult {
  const where = location === null ? '' : ` It leads to another address: ${location.slice(0, 500)}`
  const said = text.trim() === '' ? '' : `\n\n${text.length > ERROR_CHARS_MAX ? text.slice(0, ERROR_CHARS_MAX) + CUT : text}`
  return toolError(`The API answered with HTTP status ${status}.${where}${said}`)
}

function success(status: number, mediaType: string, bytes: Uint8Array, isCut: boolean, type: string): ToolResult {
  if (bytes.byteLength === 0) return textResult(`Done (HTTP status ${status}, no content).`)
  if (isJson(mediaType) && !isCut) return jsonResult(decode(bytes, type))
  if (isTextual(mediaType)) return textResult(decode(bytes, type), isCut)
  const kind = /^(image|audio)\//.exec(mediaType)?.[1]
  if (kind !== undefined && !isCut) {
    const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
    return { content: [{ type: kind, data, mimeType: mediaType }] }
  }
  const size = isCut ? `more than ${BODY_BYTES_MAX}` : String(bytes.byteLength)
  return textResult(`The API answered with ${size} bytes of ${mediaType || 'unknown type'}, which cannot be shown here.`)
}

function jsonResult(text: string): ToolResult {
  const parsed = parse(text)
  const shown = textResult(text)
  return isObject(parsed) && text.length <= TEXT_CHARS_MAX && isShallow(parsed) ? { ...shown, structuredContent: parsed } : shown
}

const textResult = (text: string, isCut = false): ToolResult => ({
  content: [{ type: 'text', text: isCut || text.length > TEXT_CHARS_MAX ? text.slice(0, TEXT_CHARS_MAX) + CUT : text }],
})

const isJson = (mediaType: string): boolean => /^[\w.+-]+\/([\w.-]+\+)?json$/.test(mediaType)
const isTextual = (mediaType: string): boolean =>
  isJson(mediaType) || /^text\/|[/+](xml|yaml|javascript|x-ndjson|x-www-form-urlencoded)$/.test(mediaType) || mediaType === ''

function decode(bytes: Uint8Array, type: string): string {
  const charset = /charset="?([\w-]+)/.exec(type)?.[1] ?? 'utf-8'
  try {
    return new TextDecoder(charset as 'utf-8').decode(bytes)
  } catch {
    return new TextDecoder().decode(bytes)
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The house refuses JSON that is nested too deeply; as text it may pass. */
function isShallow(root: JsonObject): boolean {
  let level: object[] = [root]
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > JSON_DEPTH_MAX) return false
    level = level.flatMap((parent) => Object.values(parent).filter((child) => typeof child === 'object' && child !== null)) as object[]
  }
  return true
}
