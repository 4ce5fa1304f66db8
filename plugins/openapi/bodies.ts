import type { JsonObject } from '@/plugins/api.ts'
import { isObject } from '../local-server.ts'
import type { Schemas } from './schemas.ts'
import { queryPairs, textOf } from './styles.ts'

export type BodyPlan = {
  /** The argument of the tool that holds it. */
  key: string
  required: boolean
  mediaType: string
  kind: 'json' | 'form' | 'multipart' | 'text'
  /** How single fields of a form are written (OpenAPI 3.1, "Encoding Object"). */
  encoding: JsonObject
}

const KINDS: readonly [kind: BodyPlan['kind'], mediaType: RegExp][] = [
  ['json', /^application\/json\b/i],
  ['json', /^[\w.+-]+\/([\w.-]+\+)?json\b/i],
  ['form', /^application\/x-www-form-urlencoded\b/i],
  ['multipart', /^multipart\/form-data\b/i],
  ['text', /^text\//i],
  ['text', /./],
]

/** The body of an operation, in the media type that a model can fill in best. */
export function bodyOf(
  schemas: Schemas,
  given: unknown,
  keys: (wish: string) => string,
): { plan: BodyPlan; schema: JsonObject } | undefined {
  const body = schemas.follow(given)?.value
  const content = isObject(body?.['content']) ? body['content'] : {}
  const [kind, found] = choose(content)
  if (body === undefined || kind === undefined || found === undefined) return undefined
  const media = isObject(content[found]) ? content[found] : {}
  // A range such as */* is no type that one could send.
  const mediaType = found.includes('*') ? (kind === 'json' ? 'application/json' : 'text/plain') : found
  const made = schemas.standalone(media['schema'], 'request')
  const schema = kind === 'text' ? { ...made, type: 'string' } : made
  const description = typeof body['description'] === 'string' ? body['description'].trim().slice(0, 1_000) : ''
  return {
    plan: {
      key: keys('body'),
      required: body['required'] === true,
      mediaType,
      kind,
      encoding: isObject(media['encoding']) ? media['encoding'] : {},
    },
    schema: description === '' ? schema : { ...schema, description },
  }
}

function choose(content: JsonObject): [kind?: BodyPlan['kind'], mediaType?: string] {
  for (const [kind, pattern] of KINDS) {
    const found = Object.keys(content).find((mediaType) => pattern.test(mediaType))
    if (found !== undefined) return [kind, found]
  }
  return []
}

/** What does not fit the media type, in a sentence for the model. */
export class BodyProblem extends Error {
  override readonly name = 'BodyProblem'
}

/** The bytes of a body and the type that they are announced as. @throws BodyProblem */
export function writeBody({ kind, mediaType, encoding }: BodyPlan, value: unknown): { type: string; body: string } {
  if (kind === 'json') return { type: mediaType, body: JSON.stringify(value) }
  if (kind === 'text') return { type: mediaType, body: textOf(value) }
  if (!isObject(value)) throw new BodyProblem('The body must be an object whose fields are those of the form.')
  return kind === 'form' ? { type: mediaType, body: formText(value, encoding) } : multipart(value, encoding)
}

function formText(value: JsonObject, encoding: JsonObject): string {
  return Object.entries(value)
    .flatMap(([name, each]) => {
      const how = isObject(encoding[name]) ? encoding[name] : {}
      // Without a style an object is written as JSON, the default content type of such a field.
      if (isObject(each) && how['style'] === undefined) return queryPairs({ name, style: 'form', explode: true }, JSON.stringify(each))
      const style = typeof how['style'] === 'string' ? how['style'] : 'form'
      const explode = typeof how['explode'] === 'boolean' ? how['explode'] : style === 'form'
      return queryPairs({ name, style, explode, allowReserved: how['allowReserved'] === true }, each)
    })
    .join('&')
    .replaceAll('%20', '+')
}

function multipart(value: JsonObject, encoding: JsonObject): { type: string; body: string } {
  const boundary = `toolpass-${crypto.randomUUID()}`
  const parts = Object.entries(value).flatMap(([name, each]) => {
    const how = isObject(encoding[name]) ? encoding[name] : {}
    return (Array.isArray(each) ? each : [each]).map((item: unknown) => {
      const type = typeof how['contentType'] === 'string' ? how['contentType'].split(',')[0]?.trim() : undefined
      const isJson = typeof item === 'object' && item !== null
      return part(name, textOf(item), type ?? (isJson ? 'application/json' : undefined))
    })
  })
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    body: `${parts.map((each) => `--${boundary}\r\n${each}\r\n`).join('')}--${boundary}--\r\n`,
  }
}

/** Names are escaped as browsers do (HTML standard, "multipart/form-data encoding"), so none can begin a header of its own. */
function part(name: string, text: string, type: string | undefined): string {
  const safe = name.replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22')
  const typed = type !== undefined && /^[\w.+-]+\/[\w.+-]+$/.test(type) ? `\r\ncontent-type: ${type}` : ''
  return `content-disposition: form-data; name="${safe}"${typed}\r\n\r\n${text}`
}
