/** Parameters as they were sent, before any framework kept only the last of two (RFC 6749 §3.1: none may come twice). */
export type Parameters = {
  /** Undefined for missing and for empty, which RFC 6749 treats alike; of doubled ones the first. */
  get(name: string): string | undefined
  readonly doubled: ReadonlySet<string>
}

export function parametersOf(raw: URLSearchParams): Parameters {
  const first = new Map<string, string>()
  const doubled = new Set<string>()
  for (const [name, value] of raw) {
    if (first.has(name)) doubled.add(name)
    else first.set(name, value)
  }
  return { get: (name) => first.get(name) || undefined, doubled }
}

const SCOPES = ['mcp', 'offline_access'] as const
export const ALL_SCOPES = SCOPES.join(' ')

/** In one order and once each; undefined when one is not of ours. */
export function scopeOf(text: string): string | undefined {
  const asked = new Set(text.split(' ').filter(Boolean))
  const known = SCOPES.filter((scope) => asked.has(scope))
  return known.length === asked.size ? known.join(' ') : undefined
}
