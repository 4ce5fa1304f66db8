/** Calls under way, so that a cancelling notification finds its call and the end of a grant ends them all. */
import type { GrantId } from '@/lib/ids.ts'

export type Call = { readonly signal: AbortSignal; abort(): void; end(): void }

export function createCalls() {
  const calls = new Map<string, Set<AbortController>>()
  const byGrant = new Map<GrantId, Set<AbortController>>()
  const add = <K>(map: Map<K, Set<AbortController>>, key: K, call: AbortController) => {
    const known = map.get(key)
    if (known) known.add(call)
    else map.set(key, new Set([call]))
  }
  const drop = <K>(map: Map<K, Set<AbortController>>, key: K, call: AbortController) => {
    const set = map.get(key)
    set?.delete(call)
    if (set?.size === 0) map.delete(key)
  }
  return {
    /** @param key finds it again; calls of the modern revision are ended by their stream alone and have none */
    start(grantId: GrantId, key?: string): Call {
      const call = new AbortController()
      add(byGrant, grantId, call)
      if (key !== undefined) add(calls, key, call)
      return {
        signal: call.signal,
        abort: () => call.abort(),
        end: () => {
          drop(byGrant, grantId, call)
          if (key !== undefined) drop(calls, key, call)
        },
      }
    },
    cancel: (key: string): void => {
      for (const call of calls.get(key) ?? []) call.abort()
    },
    grants: (): GrantId[] => [...byGrant.keys()],
    endOf: (grantId: GrantId): void => {
      for (const call of byGrant.get(grantId) ?? []) call.abort()
    },
    close: (): void => {
      for (const set of byGrant.values()) for (const call of set) call.abort()
    },
  }
}
export type Calls = ReturnType<typeof createCalls>
