/**
 * Resources as an upstream lists them right now. They may be one user's own (documents, mails), so they are asked for with the
 * credential of whoever asks and kept apart by it; what is stored of a connection serves to pick from, and to fall back on.
 */
import type { Clock } from '@/lib/clock.ts'
import { MINUTE_MS, SECOND_MS } from '@/lib/clock.ts'
import type { JsonObject } from '@/plugins'
import { EVERY_RESOURCE, type Feature, fetchFeature, type Tool } from './listing.ts'
import type { PoolKey } from './pool.ts'
import { isObject, type Upstream } from './session.ts'

export type ResourceFeature = Extract<Feature, 'resource' | 'template'>
/** `isOld`: the upstream does not answer just now, and this is what it said before. */
export type Resources = { definitions: JsonObject[]; isOld: boolean }

type Deps = {
  clock: Clock
  reach(key: PoolKey): Promise<Upstream>
  /** What was listed with the owner's credential. */
  stored(key: PoolKey): Promise<Tool[]>
  remark(key: PoolKey, line: string): void
}

const WAIT_MS_MAX = 5 * SECOND_MS
const KEPT_MS = MINUTE_MS
/** An upstream that just did not answer is not waited for by each list again. */
const TROUBLE_KEPT_MS = 10 * SECOND_MS
const LISTS_KEPT_MAX = 1_000

export function createResources({ clock, reach, stored, remark }: Deps) {
  const kept = new Map<string, { listed: Promise<Resources>; until: number }>()
  const textOf = ({ connectionId, credentialOf }: PoolKey) => `${connectionId} ${credentialOf}`

  const ask = async (key: PoolKey, feature: ResourceFeature, keepFor: (ms: number) => void): Promise<Resources> => {
    const before = kept.get(`${textOf(key)} ${feature}`)
    try {
      const upstream = await within(reach(key))
      if (!isObject(upstream.capabilities['resources'])) return { definitions: [], isOld: false }
      const { listed, ttlMs } = await fetchFeature(
        upstream,
        feature,
        AbortSignal.timeout(WAIT_MS_MAX),
        (line) => remark(key, line),
        WAIT_MS_MAX,
      )
      if (ttlMs !== undefined) keepFor(Math.min(ttlMs, KEPT_MS))
      return { definitions: listed.map(({ definition }) => definition), isOld: false }
    } catch {
      keepFor(TROUBLE_KEPT_MS)
      const earlier = await before?.listed
      const definitions =
        earlier?.definitions ??
        (await stored(key)).filter((each) => each.feature === feature && each.name !== EVERY_RESOURCE).map((each) => each.definition)
      return { definitions, isOld: true }
    }
  }

  return {
    /** Never fails: an upstream that is away costs its resources at most. */
    list(key: PoolKey, feature: ResourceFeature): Promise<Resources> {
      const text = `${textOf(key)} ${feature}`
      const known = kept.get(text)
      if (known && known.until > clock()) return known.listed
      const entry = { listed: Promise.resolve<Resources>({ definitions: [], isOld: true }), until: clock() + KEPT_MS }
      entry.listed = ask(key, feature, (ms) => {
        entry.until = clock() + ms
      })
      if (kept.size >= LISTS_KEPT_MAX) kept.delete(kept.keys().next().value as string)
      kept.set(text, entry)
      return entry.listed
    },
    /** After the upstream said that its list is another. */
    forget(isMeant: (text: string) => boolean): void {
      for (const text of kept.keys()) if (isMeant(text)) kept.delete(text)
    },
  }
}

async function within<T>(work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error('too late')), WAIT_MS_MAX)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
    late.promise.catch(() => undefined)
  }
}
