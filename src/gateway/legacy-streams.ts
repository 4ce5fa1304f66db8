/** The stream of a legacy session on which it hears what belongs to no request, and the resources it wants to hear about. */
import { incomingOf } from '@/http/incoming.ts'
import { Failure } from '@/lib/failure.ts'
import type { Caller } from './caller.ts'
import type { Resumable } from './events.ts'
import { ALL_WANTED, type Listener, type Listeners } from './listeners.ts'
import type { Others } from './others.ts'
import type { Session, Sessions } from './sessions.ts'

const SUBSCRIPTIONS_MAX = 200
const NONE_WANTED = { tools: false, prompts: false, resources: false }
const PRIMED_SINCE = '2025-11-25'

type Deps = { listeners: Listeners; resumable: Resumable; sessions: Sessions; others: Pick<Others, 'watch' | 'mayRead'> }

export function createLegacyStreams({ listeners, resumable, sessions, others }: Deps) {
  /** By session and address: how to stop watching. In memory; what is to be watched is in the session. */
  const watches = new Map<string, Map<string, () => void>>()
  const watchesOf = (session: Session) => {
    const known = watches.get(session.id) ?? new Map<string, () => void>()
    watches.set(session.id, known)
    return known
  }
  /** Each message goes to one stream only (2025-11-25, "Multiple Connections"): the latest. */
  const tell = async (session: Session, uri: string): Promise<void> => {
    const latest = listeners.ofSession(session.id).at(-1)
    if (latest && (await others.mayRead(latest.caller, uri))) listeners.send(latest, 'notifications/resources/updated', { uri })
  }
  const watch = async (caller: Caller, session: Session, uri: string): Promise<void> => {
    const own = watchesOf(session)
    if (own.has(uri)) return
    own.set(uri, await others.watch(caller, uri, () => void tell(session, uri)))
  }
  /** After a restart of ours: what the session was subscribed to is watched again. What cannot be is left out; the client may try anew. */
  const takeUp = async (caller: Caller, session: Session): Promise<void> => {
    const lost = session.subscriptions.filter((uri) => !watchesOf(session).has(uri))
    await Promise.all(lost.map((uri) => watch(caller, session, uri).catch(() => undefined)))
  }
  const endOf = (session: Pick<Session, 'id'>) => {
    for (const stop of watches.get(session.id)?.values() ?? []) stop()
    watches.delete(session.id)
    resumable.endOf((of) => of === session.id)
  }

  return {
    /** @throws Failure `too_many_streams` */
    async open(request: Request, caller: Caller, session: Session | undefined): Promise<Response> {
      incomingOf(request).hold()
      const of = session?.id ?? caller.grant.id
      const lastEventId = request.headers.get('last-event-id')
      const again = lastEventId === null ? undefined : resumable.resume(of, lastEventId, request.signal)
      if (again) return again
      listeners.demandRoom(caller.userId)
      if (session) for (const earlier of listeners.ofSession(session.id)) earlier.wanted = NONE_WANTED
      let listener: Listener | undefined
      const stream = resumable.open(of, {
        signal: request.signal,
        isPrimed: (session?.revision ?? '') >= PRIMED_SINCE,
        onGone: () => listener && listeners.leave(listener),
      })
      const own = { caller, stream, meta: {}, wanted: ALL_WANTED, ...(session && { session: session.id }) }
      listener = await listeners.add(own)
      // The line may break and be taken up again; until then the room it takes is counted.
      if (session) await takeUp(caller, session)
      return stream.response
    },
    /** An answer that is there already, to a client that would rather have it as a stream. */
    ofOne(request: Request, caller: Caller, session: Session | undefined, answer: unknown): Response {
      const isPrimed = (session?.revision ?? '') >= PRIMED_SINCE
      const stream = resumable.open(session?.id ?? caller.grant.id, { signal: request.signal, isPrimed, onGone: () => undefined })
      stream.send(answer)
      stream.close()
      return stream.response
    },
    /** @throws Failure `tool_not_granted`, `too_many` */
    async subscribe(caller: Caller, session: Session | undefined, uri: string): Promise<void> {
      if (!session) throw new Failure('bad_request', { message: 'Subscriptions belong to a session; initialise first.' })
      if (session.subscriptions.length >= SUBSCRIPTIONS_MAX && !session.subscriptions.includes(uri)) throw new Failure('too_many')
      await watch(caller, session, uri)
      if (!session.subscriptions.includes(uri)) await sessions.setSubscriptions(session, [...session.subscriptions, uri])
    },
    async unsubscribe(session: Session | undefined, uri: string): Promise<void> {
      if (!session) return
      watches.get(session.id)?.get(uri)?.()
      watches.get(session.id)?.delete(uri)
      await sessions.setSubscriptions(
        session,
        session.subscriptions.filter((each) => each !== uri),
      )
    },
    endOf,
  }
}
export type LegacyStreams = ReturnType<typeof createLegacyStreams>
