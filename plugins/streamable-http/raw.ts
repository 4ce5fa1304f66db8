import type { RawRequest } from '@/plugins/api.ts'
import { lowerCased } from '../addresses.ts'
import { namedHeaders } from './headers.ts'

const REMEMBERED_MAX = 500

type Headers_ = Readonly<Record<string, string>>

/**
 * The headers of raw requests. A tool's are the same with each call, so they are made once and frozen, which lets the house
 * keep them as they are written. `standing` is the modern revision that is spoken, or the headers of a legacy session.
 */
export function createRawHeaders(base: Headers_, standing: () => string | Headers_) {
  const remembered = new Map<string, Headers_>()

  function make({ method, name, headers = {} }: RawRequest): Headers_ {
    const now = standing()
    return Object.freeze({ ...base, ...lowerCased(headers), ...(typeof now === 'string' ? namedHeaders(now, method, name) : now) })
  }

  return {
    for: (raw: RawRequest): Headers_ => {
      for (const _ in raw.headers) return make(raw)
      const now = standing()
      // A session's headers do not name the tool, so they are few, and they change when it does.
      const key = typeof now === 'string' ? keyOf(now, raw) : `${now['mcp-protocol-version']} ${now['mcp-session-id']}`
      const known = remembered.get(key)
      if (known !== undefined) return known
      const made = make(raw)
      if (remembered.size >= REMEMBERED_MAX) remembered.delete(remembered.keys().next().value as string)
      remembered.set(key, made)
      return made
    },
  }
}

/** With lengths, so that no two calls share a key, whatever characters are in their names. */
const keyOf = (version: string, { method, name }: RawRequest): string =>
  `${version.length} ${method.length} ${name === undefined ? '' : 'of '}${version}${method}${name ?? ''}`
