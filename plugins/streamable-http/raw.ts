import type { RawRequest } from '@/plugins/api.ts'
import { lowerCased } from '../addresses.ts'
import { namedHeaders } from './headers.ts'

/** What a legacy upstream (2025-03-26 to 2025-11-25) made us remember. */
export type Legacy = { sessionId?: string; version?: string }
type Headers_ = Readonly<Record<string, string>>

const REMEMBERED_MAX = 500

export function legacyHeaders({ sessionId, version }: Legacy): Record<string, string> {
  const headers: Record<string, string> = {}
  if (sessionId !== undefined) headers['mcp-session-id'] = sessionId
  if (version !== undefined) headers['mcp-protocol-version'] = version
  return headers
}

/**
 * The headers of raw requests. A tool's are the same with each call, so they are made once and frozen, which lets the house
 * keep them as they are written.
 */
export function createRawHeaders(base: Headers_) {
  /** By name, for one method and state of the server: calls of tools, nearly always. */
  const remembered = new Map<string | undefined, Headers_>()
  let madeFor = { method: '', modernVersion: '', sessionId: '' as string | undefined, version: '' as string | undefined }

  function make({ method, name, headers = {} }: RawRequest, legacy: Legacy, modernVersion: string): Headers_ {
    const standing = legacy.version === undefined ? namedHeaders(modernVersion, method, name) : legacyHeaders(legacy)
    return Object.freeze({ ...base, ...lowerCased(headers), ...standing })
  }

  return (raw: RawRequest, legacy: Legacy, modernVersion: string): Headers_ => {
    for (const _ in raw.headers) return make(raw, legacy, modernVersion)
    const { method, name } = raw
    const { sessionId, version } = legacy
    const isCurrent = madeFor.method === method && madeFor.modernVersion === modernVersion
    if (!isCurrent || madeFor.sessionId !== sessionId || madeFor.version !== version) {
      remembered.clear()
      madeFor = { method, modernVersion, sessionId, version }
    }
    const known = remembered.get(name)
    if (known !== undefined) return known
    if (remembered.size >= REMEMBERED_MAX) remembered.clear()
    const made = make(raw, legacy, modernVersion)
    remembered.set(name, made)
    return made
  }
}
