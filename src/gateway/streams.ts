import { SECOND_MS } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import type { GrantId, ProfileId, UserId } from '@/lib/ids.ts'
import type { JsonObject } from '@/plugins'
import type { Caller } from './caller.ts'

const STREAMS_PER_USER_MAX = 32
const KEEP_ALIVE_MS = 15 * SECOND_MS
/** A reader that takes nothing for so many events is gone. */
const EVENTS_WAITING_MAX = 1_000

const HEADERS = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' }

export type EventStream = { response: Response; send(message: unknown): void; close(): void; readonly isOpen: boolean }

/** One answer as server-sent events. `onGone` is called once, when the other side went away. */
export function openEventStream(onGone: () => void, headers: Record<string, string> = {}): EventStream {
  const encoder = new TextEncoder()
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  const end = () => {
    clearInterval(timer)
    const ended = controller
    controller = undefined
    return ended
  }
  const gone = () => {
    if (end()) onGone()
  }
  const write = (text: string) => {
    if (!controller) return
    if ((controller.desiredSize ?? 0) < -EVENTS_WAITING_MAX) {
      const slow = controller
      gone()
      slow.error(new Error('the reader is too slow'))
    } else controller.enqueue(encoder.encode(text))
  }
  const body = new ReadableStream<Uint8Array>({
    start(opened) {
      controller = opened
    },
    cancel: gone,
  })
  const timer = setInterval(() => write(': still here\n\n'), KEEP_ALIVE_MS)
  timer.unref()
  // Some proxies hold the head of an answer back until its first byte.
  write(': open\n\n')
  return {
    response: new Response(body, { headers: { ...HEADERS, ...headers } }),
    send: (message) => write(`event: message\ndata: ${JSON.stringify(message)}\n\n`),
    close: () => end()?.close(),
    get isOpen() {
      return controller !== undefined
    },
  }
}

type Listener = { userId: UserId; grantId: GrantId; profileId: ProfileId; stream: EventStream; meta: JsonObject; isTold: boolean }

/** The streams that stay open to tell apps of changes. Each belongs to a grant and ends with it. */
export function createListeners() {
  const listeners = new Set<Listener>()
  const closeThose = (isMeant: (listener: Listener) => boolean) => {
    for (const listener of listeners) {
      if (!isMeant(listener)) continue
      listeners.delete(listener)
      listener.stream.close()
    }
  }
  const tellThose = (isMeant: (listener: Listener) => boolean) => {
    for (const listener of listeners) {
      if (!listener.isTold || !isMeant(listener)) continue
      const params = Object.keys(listener.meta).length === 0 ? {} : { params: { _meta: listener.meta } }
      listener.stream.send({ jsonrpc: '2.0', method: 'notifications/tools/list_changed', ...params })
    }
  }
  return {
    /** @param meta goes with every message: the subscription's id for modern clients. @throws Failure `too_many_streams` */
    open(caller: Caller, signal: AbortSignal, meta: JsonObject = {}, isTold = true): EventStream {
      const own = [...listeners].filter((listener) => listener.userId === caller.userId)
      if (own.length >= STREAMS_PER_USER_MAX) throw new Failure('too_many_streams', { retryAfterSeconds: 60 })
      const leave = () => void listeners.delete(listener)
      const stream = openEventStream(leave)
      const { userId, grant, profile } = caller
      const listener: Listener = { userId, grantId: grant.id, profileId: profile.id, stream, meta, isTold }
      listeners.add(listener)
      signal.addEventListener('abort', () => closeThose((other) => other === listener), { once: true })
      return stream
    },
    count: (userId: UserId) => [...listeners].filter((listener) => listener.userId === userId).length,
    grants: (): GrantId[] => [...listeners].map(({ grantId }) => grantId),
    endOf: (grantId: GrantId) => closeThose((listener) => listener.grantId === grantId),
    tellProfile: (profileId: ProfileId) => tellThose((listener) => listener.profileId === profileId),
    tellGrant: (grantId: GrantId) => tellThose((listener) => listener.grantId === grantId),
    close: () => closeThose(() => true),
  }
}
export type Listeners = ReturnType<typeof createListeners>

/** Calls under way, so that a cancelling notification finds its call and the end of a grant ends them all. */
export function createCalls() {
  const calls = new Map<string, Set<AbortController>>()
  const byGrant = new Map<GrantId, Set<AbortController>>()
  const add = <K>(map: Map<K, Set<AbortController>>, key: K, call: AbortController) => {
    const set = map.get(key) ?? new Set()
    map.set(key, set.add(call))
    return () => {
      set.delete(call)
      if (set.size === 0 && map.get(key) === set) map.delete(key)
    }
  }
  return {
    start(grantId: GrantId, key: string) {
      const call = new AbortController()
      const leave = [add(calls, key, call), add(byGrant, grantId, call)]
      return {
        signal: call.signal,
        abort: () => call.abort(),
        end: () => {
          for (const end of leave) end()
        },
      }
    },
    cancel: (key: string) => {
      for (const call of calls.get(key) ?? []) call.abort()
    },
    grants: (): GrantId[] => [...byGrant.keys()],
    endOf: (grantId: GrantId) => {
      for (const call of byGrant.get(grantId) ?? []) call.abort()
    },
    close: () => {
      for (const set of byGrant.values()) for (const call of set) call.abort()
    },
  }
}
export type Calls = ReturnType<typeof createCalls>
