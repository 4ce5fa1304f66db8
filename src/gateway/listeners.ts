/**
 * Streams that stay open to tell apps of changes. Each belongs to a grant and ends with it; it is told of a list only when what that grant
 * sees of it is another than before, once, however many changes came together.
 */
import type { ConnectionId, GrantId, ProfileId, UserId } from '@/lib/ids.ts'
import { Failure } from '@/lib/failure.ts'
import type { Clock } from '@/lib/clock.ts'
import { type Grant, state } from '@/grants'
import type { JsonObject } from '@/plugins'
import type { Profile, ProfileView } from '@/profiles'
import type { Caller } from './caller.ts'
import type { EventStream } from './events.ts'
import type { ListKind, Lists } from './lists.ts'

const STREAMS_PER_USER_MAX = 32
/** Changes that come together are told together. */
const GATHER_MS = 50

const NOTICES: readonly [ListKind, string][] = [
  ['tools', 'notifications/tools/list_changed'],
  ['prompts', 'notifications/prompts/list_changed'],
  ['resources', 'notifications/resources/list_changed'],
]
export type Wanted = { tools: boolean; prompts: boolean; resources: boolean }
export const ALL_WANTED: Wanted = { tools: true, prompts: true, resources: true }

export type Listener = {
  caller: Caller
  /** A legacy session, for what is meant for it alone. */
  session?: string
  stream: EventStream
  /** Goes with every message: the subscription's id for modern clients. */
  meta: JsonObject
  wanted: Wanted
  /** How the lists stood when it was last told. */
  marks: Promise<Map<ListKind, string>>
  stops: Set<() => void>
  /** One of them: no longer to hear of the servers behind its profile. */
  unattend?: () => void
}
type Deps = {
  clock: Clock
  lists: Pick<Lists, 'mark'>
  grants: { find(id: GrantId): Promise<Grant | undefined> }
  profiles: {
    findFor(userId: UserId, id: ProfileId): Promise<Profile | undefined>
    viewOf(profile: Profile, userId: UserId): Promise<ProfileView> | ProfileView
  }
  connections: { attend(ids: readonly ConnectionId[], userId: UserId): Promise<() => void> }
}

type Held = {
  listeners: Set<Listener>
  send(listener: Listener, method: string): void
  closeThose(isMeant: (listener: Listener) => boolean): void
}

/** What a listener is told, and when: with what holds by then, since the grant may be another, and so may the profile. */
function createLooking({ lists, grants, profiles, connections }: Deps, { listeners, send, closeThose }: Held) {
  const marksOf = async (listener: Listener): Promise<Map<ListKind, string>> => {
    const wanted = NOTICES.filter(([kind]) => listener.wanted[kind as keyof Wanted])
    return new Map(await Promise.all(wanted.map(async ([kind]) => [kind, await lists.mark(kind, listener.caller)] as const)))
  }
  const look = async (listener: Listener): Promise<void> => {
    const { caller } = listener
    const grant = await grants.find(caller.grant.id)
    const profile = grant && (await profiles.findFor(caller.userId, grant.profileId))
    if (!grant || !profile || !listeners.has(listener)) return
    const isSwitched = profile.id !== caller.profile.id
    // Nothing is to be heard any more at the address of a profile that the app has left.
    if (isSwitched && caller.isNamed) return closeThose((other) => other === listener)
    listener.caller = { ...caller, grant, profile }
    if (isSwitched) attend(listener).catch(() => undefined)
    const before = await listener.marks
    listener.marks = marksOf(listener)
    const now = await listener.marks
    for (const [kind, method] of NOTICES) if (now.has(kind) && now.get(kind) !== before.get(kind)) send(listener, method)
  }
  const due = new Map<Listener, ReturnType<typeof setTimeout>>()
  const lookSoon = (listener: Listener) => {
    if (due.has(listener)) return
    const timer = setTimeout(() => {
      due.delete(listener)
      look(listener).catch(() => undefined)
    }, GATHER_MS)
    due.set(listener, timer)
  }
  /** What is behind the profile is listened to as long as somebody listens to us. */
  const attend = async (listener: Listener): Promise<void> => {
    const view = await profiles.viewOf(listener.caller.profile, listener.caller.userId)
    const ids = view.servers.map(({ connectionId }) => connectionId)
    const stop = await connections.attend(ids, listener.caller.userId)
    if (!listeners.has(listener)) return stop()
    // Those of before are left only now: a server that is behind both profiles stays open.
    if (listener.unattend) listener.stops.delete(listener.unattend)
    listener.unattend?.()
    listener.unattend = stop
    listener.stops.add(stop)
  }

  return {
    marksOf,
    lookSoon,
    attend,
    stop(): void {
      for (const timer of due.values()) clearTimeout(timer)
    },
  }
}

export function createListeners(deps: Deps) {
  const { clock, grants } = deps
  const listeners = new Set<Listener>()
  const leave = (listener: Listener) => {
    listeners.delete(listener)
    for (const stop of listener.stops) stop()
    listener.stops.clear()
  }
  const closeThose = (isMeant: (listener: Listener) => boolean) => {
    for (const listener of listeners) {
      if (!isMeant(listener)) continue
      leave(listener)
      listener.stream.close()
    }
  }
  const send = ({ stream, meta }: Listener, method: string, params: JsonObject = {}) => {
    const whole = Object.keys(meta).length === 0 ? params : { ...params, _meta: meta }
    stream.send({ jsonrpc: '2.0', method, ...(Object.keys(whole).length > 0 && { params: whole }) })
  }
  const { marksOf, lookSoon, attend, stop } = createLooking(deps, { listeners, send, closeThose })

  return {
    /** @throws Failure `too_many_streams` */
    demandRoom(userId: UserId): void {
      const own = [...listeners].filter(({ caller, stream }) => caller.userId === userId && stream.isHeard)
      if (own.length >= STREAMS_PER_USER_MAX) throw new Failure('too_many_streams', { retryAfterSeconds: 60 })
    },
    /** Settles when changes from now on are news. */
    async add(listener: Omit<Listener, 'marks' | 'stops'>, signal?: AbortSignal): Promise<Listener> {
      const whole: Listener = { ...listener, marks: Promise.resolve(new Map()), stops: new Set() }
      listeners.add(whole)
      signal?.addEventListener('abort', () => closeThose((other) => other === whole), { once: true })
      whole.marks = marksOf(whole)
      await whole.marks
      // What ended it between its way in and here was announced before anybody listened.
      const grant = await grants.find(whole.caller.grant.id)
      if (!grant || state(grant, clock()) !== 'active') closeThose((other) => other === whole)
      else attend(whole).catch(() => undefined)
      return whole
    },
    /** Its stream is gone. */
    leave,
    send,
    ofSession: (session: string): Listener[] => [...listeners].filter((listener) => listener.session === session),
    grants: (): GrantId[] => [...listeners].map(({ caller }) => caller.grant.id),
    /** Whose time is over by now. */
    expired: (now: number): Set<GrantId> =>
      new Set(
        [...listeners]
          .map(({ caller }) => caller.grant)
          .filter(({ expiresAt }) => expiresAt !== null && expiresAt <= now)
          .map(({ id }) => id),
      ),
    endOf: (grantId: GrantId): void => closeThose(({ caller }) => caller.grant.id === grantId),
    profileChanged: (profileId: ProfileId): void => {
      for (const listener of listeners) if (listener.caller.profile.id === profileId) lookSoon(listener)
    },
    grantChanged: (grantId: GrantId): void => {
      for (const listener of listeners) if (listener.caller.grant.id === grantId) lookSoon(listener)
    },
    close(): void {
      stop()
      closeThose(() => true)
    },
  }
}
export type Listeners = ReturnType<typeof createListeners>
