/**
 * What upstreams tell by themselves: that a list has changed, that a resource has. Modern ones tell it on a stream that was asked for
 * (2026-07-28, "Subscriptions"), legacy ones without being asked, or after `resources/subscribe`. A channel over which somebody waits
 * for news is kept open, and opened anew when it ends.
 */
import { SECOND_MS } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import type { UpstreamMessage } from '@/plugins'
import type { Opened, PoolKey } from './pool.ts'
import { isObject, modernMeta, type Upstream } from './session.ts'

type Deps = {
  reach(key: PoolKey): Promise<Upstream>
  opened(key: PoolKey): Opened | undefined
  /** Tools, prompts or resources of this connection are others now. */
  onListChanged(key: PoolKey): void
}
type Hear = () => void
/** What is wanted of one channel: how many attend to it as a whole, and who waits for which resource. */
type Wants = { key: PoolKey; attending: number; resources: Map<string, Set<Hear>>; waitMs: number; timer?: ReturnType<typeof setTimeout> }
type Listening = { opened: Opened; signal: AbortSignal; stream?: AbortController }

const RETRY_FIRST_MS = 250
const RETRY_MAX_MS = 30 * SECOND_MS
const SUBSCRIBE_TIMEOUT_MS = 15 * SECOND_MS
const RESOURCES_MAX = 500

const textOf = ({ connectionId, credentialOf }: PoolKey) => `${connectionId} ${credentialOf}`

/** Who waits for what, by channel; one that nobody waits for is not there. */
function createWants() {
  const wants = new Map<string, Wants>()
  return {
    find: (key: PoolKey): Wants | undefined => wants.get(textOf(key)),
    of(key: PoolKey): Wants {
      const known = wants.get(textOf(key)) ?? { key, attending: 0, resources: new Map(), waitMs: RETRY_FIRST_MS }
      wants.set(textOf(key), known)
      return known
    },
    tidy(it: Wants): void {
      if (it.attending > 0 || it.resources.size > 0) return
      clearTimeout(it.timer)
      wants.delete(textOf(it.key))
    },
    clear(): void {
      for (const { timer } of wants.values()) clearTimeout(timer)
      wants.clear()
    },
  }
}

/** The streams of modern upstreams: one for each channel, asked for anew when something else is wanted. */
function createStreams(wants: ReturnType<typeof createWants>, hear: (key: PoolKey, message: UpstreamMessage) => void) {
  const listening = new Map<string, Listening>()
  let lastId = 0

  /** @param onEnd it ended although it was wanted */
  const ask = async (key: PoolKey, { opened, signal, stream }: Listening, onEnd: () => void): Promise<void> => {
    stream?.abort()
    const notifications = filterFor(opened, [...(wants.find(key)?.resources.keys() ?? [])])
    if (Object.keys(notifications).length === 0) return
    const mine = new AbortController()
    listening.set(textOf(key), { opened, signal, stream: mine })
    lastId += 1
    const params = { notifications, _meta: modernMeta() }
    const message = { jsonrpc: '2.0' as const, id: `listen-${lastId}`, method: 'subscriptions/listen', params }
    const until = AbortSignal.any([signal, mine.signal])
    const { channel } = opened.session
    // Over a shared pipe nothing ends with its stream: who is not told goes on telling, and everything comes twice.
    const stop = { jsonrpc: '2.0' as const, method: 'notifications/cancelled', params: { requestId: message.id } }
    if (channel.shared) mine.signal.addEventListener('abort', () => void channel.notify(stop).catch(() => undefined), { once: true })
    const answer = await channel.request(message, { signal: until, receive: (heard) => hear(key, heard) }).catch(() => undefined)
    // An upstream that says no is not asked again.
    if (!until.aborted && answer?.error === undefined) onEnd()
  }
  return {
    of: (key: PoolKey): Listening | undefined => listening.get(textOf(key)),
    ask,
    begin(key: PoolKey, opened: Opened, signal: AbortSignal): Listening {
      const now: Listening = { opened, signal }
      listening.set(textOf(key), now)
      const end = () => listening.get(textOf(key))?.opened === opened && listening.delete(textOf(key))
      signal.addEventListener('abort', end, { once: true })
      return now
    },
  }
}

export function createNews(deps: Deps) {
  const wants = createWants()
  const hear = (key: PoolKey, { method, params }: UpstreamMessage) => {
    if (/^notifications\/(tools|prompts|resources)\/list_changed$/.test(method)) deps.onListChanged(key)
    if (method !== 'notifications/resources/updated') return
    for (const tell of wants.find(key)?.resources.get(params?.['uri'] as string) ?? []) tell()
  }
  const streams = createStreams(wants, hear)
  let isClosed = false

  const listen = (key: PoolKey, it: Listening) => void streams.ask(key, it, () => ended(key))
  /** Only what somebody waits for is opened anew; who comes back has missed what happened meanwhile. */
  const ended = (key: PoolKey): void => {
    const it = wants.find(key)
    if (!it || isClosed) return
    clearTimeout(it.timer)
    it.timer = setTimeout(() => void comeBack(it), it.waitMs)
    it.timer.unref()
    it.waitMs = Math.min(it.waitMs * 2, RETRY_MAX_MS)
  }
  const comeBack = async (it: Wants): Promise<void> => {
    try {
      await deps.reach(it.key)
      const known = streams.of(it.key)
      if (known && deps.opened(it.key) === known.opened) listen(it.key, known)
      deps.onListChanged(it.key)
    } catch {
      ended(it.key)
    }
  }

  const subscribe = async (key: PoolKey, uri: string, verb: 'subscribe' | 'unsubscribe'): Promise<void> => {
    const upstream = await deps.reach(key)
    const limits = { signal: AbortSignal.timeout(SUBSCRIBE_TIMEOUT_MS), timeoutMs: SUBSCRIBE_TIMEOUT_MS }
    if (!upstream.isModern) await upstream.request(`resources/${verb}`, { uri }, limits)
    else {
      const known = streams.of(key)
      if (known) listen(key, known)
    }
  }

  return {
    isWanted: (key: PoolKey): boolean => wants.find(key) !== undefined,
    ended,
    hear,
    /** A channel is open: from now on it is listened to. */
    begin(key: PoolKey, opened: Opened, signal: AbortSignal): void {
      const it = wants.find(key)
      if (it) it.waitMs = RETRY_FIRST_MS
      const now = streams.begin(key, opened, signal)
      if (opened.agreed.isModern) listen(key, now)
      else for (const uri of it?.resources.keys() ?? []) subscribe(key, uri, 'subscribe').catch(() => undefined)
    },
    ...createWaiting(deps, wants, subscribe, ended),
    close(): void {
      isClosed = true
      wants.clear()
    },
  }
}
export type News = ReturnType<typeof createNews>

function createWaiting(
  deps: Deps,
  wants: ReturnType<typeof createWants>,
  subscribe: (key: PoolKey, uri: string, verb: 'subscribe' | 'unsubscribe') => Promise<void>,
  ended: (key: PoolKey) => void,
) {
  return {
    /** Keeps the channel open for its news. @returns how to stop */
    attend(key: PoolKey): () => void {
      const it = wants.of(key)
      it.attending += 1
      if (!deps.opened(key)) deps.reach(key).catch(() => ended(key))
      return once(() => {
        it.attending -= 1
        wants.tidy(it)
      })
    },
    /** Calls `tell` whenever the upstream says that the resource has changed. @returns how to stop. @throws Failure */
    async watch(key: PoolKey, uri: string, tell: Hear): Promise<() => void> {
      const it = wants.of(key)
      const hearers = it.resources.get(uri) ?? new Set<Hear>()
      const isNew = hearers.size === 0
      if (isNew && it.resources.size >= RESOURCES_MAX) throw new Failure('too_many')
      it.resources.set(uri, hearers.add(tell))
      const stop = once(() => {
        hearers.delete(tell)
        if (hearers.size > 0) return
        it.resources.delete(uri)
        if (deps.opened(key)) subscribe(key, uri, 'unsubscribe').catch(() => undefined)
        wants.tidy(it)
      })
      if (isNew)
        await subscribe(key, uri, 'subscribe').catch((error) => {
          stop()
          throw error
        })
      return stop
    },
  }
}

/** Nothing is asked for that the upstream did not offer. */
function filterFor({ agreed: { capabilities } }: Opened, uris: readonly string[]): Record<string, unknown> {
  const offers = (name: string, what: string) => isObject(capabilities[name]) && capabilities[name][what] === true
  return {
    ...(offers('tools', 'listChanged') && { toolsListChanged: true }),
    ...(offers('prompts', 'listChanged') && { promptsListChanged: true }),
    ...(offers('resources', 'listChanged') && { resourcesListChanged: true }),
    ...(uris.length > 0 && offers('resources', 'subscribe') && { resourceSubscriptions: uris }),
  }
}

function once(work: () => void): () => void {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    work()
  }
}
