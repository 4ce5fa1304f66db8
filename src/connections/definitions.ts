import { sha256 } from '@/lib/crypto.ts'
import type { JsonObject } from '@/plugins'
import { isObject } from './session.ts'

export type ToolKind = 'read' | 'write' | 'destructive'

/**
 * What a tool says of itself, read carefully: these are hints by a server that is not necessarily trusted. Only an explicit
 * `readOnlyHint: true` makes a tool `read`. A server that states annotations and does not deny harm gets the default of the
 * specification, destructive; one that states none at all is `write`: calling everything destructive would teach users to
 * confirm without looking.
 */
export function kindOf(definition: JsonObject): ToolKind {
  const annotations = definition['annotations']
  if (!isObject(annotations)) return 'write'
  const { readOnlyHint, destructiveHint } = annotations
  if (readOnlyHint === true && destructiveHint !== true) return 'read'
  if (destructiveHint === true) return 'destructive'
  if (destructiveHint === false) return 'write'
  return readOnlyHint === false ? 'destructive' : 'write'
}

/** SHA-256 over the definition with sorted keys: the order in which a server happens to write them is no change. */
export const hashOf = (definition: JsonObject): string => sha256(JSON.stringify(inKeyOrder(definition)))

/** The same JSON with the keys of each object sorted. The depth was limited when the message was read (lib/json), so the recursion is bounded. */
export function inKeyOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inKeyOrder)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, inKeyOrder(value[key])]),
  )
}
