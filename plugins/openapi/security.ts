import type { JsonObject } from '@/plugins/api.ts'
import { isObject } from '../local-server.ts'
import type { Schemas } from './schemas.ts'

/** What a credential adds to a request. */
export type Credential = { place: 'header' | 'query' | 'cookie'; name: string; value: string }

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64')

/** The credentials that an operation is to carry: those of the first alternative that we hold whole. */
export function createSecurity(root: JsonObject, schemas: Schemas, held: Readonly<Record<string, string>>) {
  const components = isObject(root['components']) ? root['components'] : {}
  const schemes = isObject(components['securitySchemes']) ? components['securitySchemes'] : {}
  const known = new Map<string, Credential>()
  for (const [name, value] of Object.entries(held)) {
    const scheme = schemas.follow(schemes[name])?.value
    const credential = scheme === undefined ? undefined : toCredential(scheme, value)
    if (credential !== undefined) known.set(name, credential)
  }

  return {
    /** Names that were entered and mean nothing in this document. */
    strangers: Object.keys(held).filter((name) => !known.has(name)),
    for(security: unknown): Credential[] {
      const alternatives = (Array.isArray(security) ? security : []).filter(isObject).map((each) => Object.keys(each))
      const complete = alternatives.filter((names) => names.every((name) => known.has(name)))
      // An empty alternative says that it goes without; what we hold is still the better answer.
      const best = complete.find((names) => names.length > 0) ?? []
      return best.flatMap((name) => known.get(name) ?? [])
    },
  }
}
export type Security = ReturnType<typeof createSecurity>

function toCredential(scheme: JsonObject, value: string): Credential | undefined {
  const { type, name, in: place } = scheme
  if (type === 'apiKey' && typeof name === 'string' && (place === 'header' || place === 'query' || place === 'cookie'))
    return { place, name, value }
  const authorization = (text: string): Credential => ({ place: 'header', name: 'authorization', value: text })
  if (type === 'oauth2' || type === 'openIdConnect') return authorization(`Bearer ${value}`)
  if (type !== 'http' || typeof scheme['scheme'] !== 'string') return undefined
  const kind = scheme['scheme'].toLowerCase()
  if (kind === 'bearer') return authorization(`Bearer ${value}`)
  // Entered as user:password; what has no colon is taken for the encoded form.
  if (kind === 'basic') return authorization(`Basic ${value.includes(':') ? base64(value) : value}`)
  return /^[a-z][\w-]*$/.test(kind) ? authorization(`${scheme['scheme']} ${value}`) : undefined
}
