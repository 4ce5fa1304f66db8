import type { JsonObject } from '@/plugins/api.ts'
import { BodyProblem, writeBody } from './bodies.ts'
import type { Operation, Parameter } from './operations.ts'
import type { Credential } from './security.ts'
import { cookiePairs, headerText, pathText, queryPairs } from './styles.ts'

const HEADER_CHARS_MAX = 8_192
const URL_CHARS_MAX = 8_000

export type HttpRequest = { url: string; method: string; headers: Record<string, string>; body?: string }

/** The call cannot be made as asked; the sentence is for the model. */
export class ArgumentProblem extends Error {
  override readonly name = 'ArgumentProblem'
}

type Given = { parameter: Parameter; value: unknown }

/** The exact request of a call. `base` is the server's address; credentials are those that may go there. @throws ArgumentProblem */
export function buildRequest(operation: Operation, args: JsonObject, base: URL, credentials: readonly Credential[]): HttpRequest {
  const given = argumentsOf(operation, args)
  const at = (place: Parameter['in']) => given.filter(({ parameter }) => parameter.in === place)
  const query = [
    ...at('query').flatMap(({ parameter, value }) => queryPairs(parameter, written(parameter, value))),
    ...credentials.flatMap(({ place, name, value }) =>
      place === 'query' ? queryPairs({ name, style: 'form', explode: true }, value) : [],
    ),
  ]
  const cookies = [
    ...at('cookie').flatMap(({ parameter, value }) => cookiePairs(parameter, written(parameter, value))),
    ...credentials.flatMap(({ place, name, value }) => (place === 'cookie' ? [`${name}=${value}`] : [])),
  ]
  const headers: Record<string, string> = { accept: 'application/json, text/*;q=0.9, image/*;q=0.8, */*;q=0.5' }
  for (const { parameter, value } of at('header')) headers[parameter.name.toLowerCase()] = headerText(parameter, written(parameter, value))
  if (cookies.length > 0) headers['cookie'] = cookies.join('; ')
  for (const { place, name, value } of credentials) if (place === 'header') headers[name.toLowerCase()] = value
  const body = bodyFor(operation, args)
  if (body !== undefined) headers['content-type'] = body.type
  demandHeaders(headers)
  const url = addressOf(operation, base, at('path'), query)
  return { url, method: operation.method, headers, ...(body === undefined ? {} : { body: body.body }) }
}

function argumentsOf({ parameters, body }: Operation, args: JsonObject): Given[] {
  const known = new Set([...parameters.map(({ key }) => key), ...(body === undefined ? [] : [body.key])])
  const stranger = Object.keys(args).find((key) => !known.has(key))
  if (stranger !== undefined) throw new ArgumentProblem(`There is no argument “${stranger.slice(0, 100)}”.`)
  return parameters.flatMap((parameter) => {
    const value = args[parameter.key]
    if (value !== undefined && !(value === null && !parameter.required)) return [{ parameter, value }]
    if (parameter.required) throw new ArgumentProblem(`The argument “${parameter.key}” is missing.`)
    return []
  })
}

const written = ({ asJson }: Parameter, value: unknown): unknown => (asJson ? JSON.stringify(value) : value)

function bodyFor({ body }: Operation, args: JsonObject): { type: string; body: string } | undefined {
  if (body === undefined) return undefined
  const value = args[body.key]
  if (value === undefined) {
    if (body.required) throw new ArgumentProblem(`The argument “${body.key}” is missing.`)
    return undefined
  }
  try {
    return writeBody(body, value)
  } catch (error) {
    throw error instanceof BodyProblem ? new ArgumentProblem(error.message) : error
  }
}

/** The value of a variable stays within its segment of the path: it can neither end it nor climb out of it. */
function addressOf({ path }: Operation, base: URL, given: readonly Given[], query: readonly string[]): string {
  const values = new Map(given.map(({ parameter, value }) => [parameter.name, pathText(parameter, written(parameter, value))]))
  const filled = path
    .split('/')
    .map((segment) => {
      if (!segment.includes('{')) return segment
      const text = segment.replace(/\{([^{}]+)\}/g, (_whole, name: string) => values.get(name) ?? '')
      if (text === '' || /^(\.|%2e){1,2}$/i.test(text)) throw new ArgumentProblem('A part of the address may not be empty, “.” or “..”.')
      return text
    })
    .join('/')
  // Some documents tell operations apart by a query or a fragment in the path.
  const [inPath = '', ofPath] = (filled.split('#')[0] ?? '').split('?')
  const all = [base.search.slice(1), ofPath ?? '', ...query].filter((each) => each !== '').join('&')
  const url = `${base.origin}${base.pathname.replace(/\/+$/, '')}${inPath}${all === '' ? '' : `?${all}`}`
  if (url.length > URL_CHARS_MAX) throw new ArgumentProblem('The address would be too long; ask for less at once.')
  return url
}

/** Header values end at a line break, and what follows would be a header of its own. */
function demandHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) throw new ArgumentProblem(`“${name.slice(0, 100)}” cannot be the name of a header.`)
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value))
      throw new ArgumentProblem(`The value of the header “${name}” has characters that no header can hold.`)
    if (value.length > HEADER_CHARS_MAX) throw new ArgumentProblem(`The value of the header “${name}” is too long.`)
  }
}
