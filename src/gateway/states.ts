/**
 * What we hand to a client and get back: request states, task ids, cursors. It is in an attacker's hands meanwhile, so it is signed, and
 * bound to the grant, the request and the time for which it was made (2026-07-28, "Multi round-trip requests").
 */
import { type Clock, MINUTE_MS } from '@/lib/clock.ts'
import { equal, hmac, sha256 } from '@/lib/crypto.ts'
import type { ConnectionId, GrantId, ToolId } from '@/lib/ids.ts'
import type { JsonObject } from '@/plugins'
import { inKeyOrder } from '@/connections'
import { isObject } from './messages.ts'

const STATE_MS = 30 * MINUTE_MS
const STATE_CHARS_MAX = 256 * 1024

/**
 * `upstream`: its own state, to go back to it as it was. `conversation`: one of ours that waits in memory. `approved`: the mark of a call
 * that its user approved, and that goes on.
 */
export type State = { upstream?: string; conversation?: string; approved?: string }
export type TaskRef = { connectionId: ConnectionId; toolId: ToolId; taskId: string }

/** Tells one request from another, what is added for its next round left out. */
export function fingerprint(method: string, params: JsonObject): string {
  const { _meta, inputResponses, requestState, ...rest } = params
  return sha256(JSON.stringify([method, inKeyOrder(rest)]))
}

export function createStates({ key, clock }: { key: Uint8Array; clock: Clock }) {
  const signed = (payload: string, about: string) => `${payload}.${hmac(key, `${about}|${payload}`)}`
  const opened = (text: string, about: string): string | undefined => {
    const at = text.lastIndexOf('.')
    if (at < 1 || text.length > STATE_CHARS_MAX) return undefined
    const payload = text.slice(0, at)
    return equal(text, signed(payload, about)) ? Buffer.from(payload, 'base64url').toString('utf8') : undefined
  }
  const encoded = (value: unknown) => Buffer.from(JSON.stringify(value), 'utf8').toString('base64url')

  return {
    seal: (state: State, grantId: GrantId, request: string): string =>
      signed(encoded({ ...state, until: clock() + STATE_MS }), `state ${grantId} ${request}`),
    /** Undefined for what is not ours, another's, another request's or too old. */
    open(text: string, grantId: GrantId, request: string): State | undefined {
      const payload = opened(text, `state ${grantId} ${request}`)
      const state: unknown = payload === undefined ? undefined : JSON.parse(payload)
      return isObject(state) && Number(state['until']) > clock() ? (state as State) : undefined
    },
    sealTask: (task: TaskRef, grantId: GrantId): string => signed(encoded(task), `task ${grantId}`),
    openTask(text: string, grantId: GrantId): TaskRef | undefined {
      const payload = opened(text, `task ${grantId}`)
      return payload === undefined ? undefined : (JSON.parse(payload) as TaskRef)
    },
    sealCursor: (offset: number, list: string): string => signed(encoded(offset), `cursor ${list}`),
    openCursor(text: string, list: string): number | undefined {
      const payload = opened(text, `cursor ${list}`)
      return payload === undefined ? undefined : Number(payload)
    },
  }
}
export type States = ReturnType<typeof createStates>
