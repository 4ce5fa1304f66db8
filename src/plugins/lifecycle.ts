import { SECOND_MS } from '@/lib/clock.ts'
import type { Log } from '@/lib/log.ts'
import type { Outbound } from '@/lib/outbound.ts'
import type { Plugin, PluginContext } from './api.ts'

/** How long the code of a plugin may take for each of its duties before it is left behind. */
export type Limits = { loadMs: number; openMs: number; closeMs: number }
export const LIMITS: Limits = { loadMs: 10 * SECOND_MS, openMs: 5 * SECOND_MS, closeMs: 5 * SECOND_MS }

const FETCH_TIMEOUT_MS = 30 * SECOND_MS
const ANSWER_BYTES_MAX = 16 * 1024 * 1024
const LOG_LINE_CHARS_MAX = 2_000

type Deps = { outbound: Pick<Outbound, 'fetch'>; log: Pick<Log, 'info' | 'warn'>; limits: Limits }

/** Opens and closes plugins, each within its time. What a plugin throws goes no further than the sentence about it. */
export function createLifecycle({ outbound, log, limits }: Deps) {
  const stops = new Map<Plugin, AbortController>()

  const close = async (plugin: Plugin): Promise<void> => {
    stops.get(plugin)?.abort()
    stops.delete(plugin)
    try {
      await within(limits.closeMs, () => plugin.close?.())
    } catch (error) {
      log.warn('a plugin did not close in good order', { plugin: plugin.id, problem: problemOf(error) })
    }
  }
  /** @returns what went wrong, if anything did. Then the plugin has been closed again. */
  const open = async (plugin: Plugin): Promise<string | undefined> => {
    const stop = new AbortController()
    stops.set(plugin, stop)
    try {
      await within(limits.openMs, () => plugin.open?.(contextFor(plugin, stop.signal)))
      return undefined
    } catch (error) {
      await close(plugin)
      return error instanceof TimeUp ? `It did not open within ${seconds(limits.openMs)}.` : `It failed to open: ${problemOf(error)}`
    }
  }
  const contextFor = ({ id }: Plugin, signal: AbortSignal): PluginContext => ({
    fetch: (url, init = {}) =>
      outbound.fetch(url, {
        ...init,
        privateAllowed: false,
        timeoutMs: FETCH_TIMEOUT_MS,
        bodyBytesMax: ANSWER_BYTES_MAX,
        redirectsMax: init.redirectsMax ?? 0,
      }),
    log: (line) => log.info(String(line).slice(0, LOG_LINE_CHARS_MAX), { plugin: id }),
    signal,
  })
  return { open, close }
}
export type Lifecycle = ReturnType<typeof createLifecycle>

export class TimeUp extends Error {
  override readonly name = 'TimeUp'
}

/** Waits so long and no longer; what comes of it later is nobody's business. @throws TimeUp */
export function within<T>(ms: number, run: () => T | Promise<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const timer = setTimeout(() => reject(new TimeUp()), ms)
  Promise.try(run)
    .then(resolve, reject)
    .finally(() => clearTimeout(timer))
  return promise
}

export const seconds = (ms: number): string => `${ms / SECOND_MS} seconds`

const PROBLEM_CHARS_MAX = 300

/** What plugin code threw, as text for administrators. It may be anything, getters that throw included. */
export function problemOf(error: unknown): string {
  try {
    const text = error instanceof Error || isMessage(error) ? String(error.message) : String(error)
    // It is printed at terminals too.
    return text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, PROBLEM_CHARS_MAX) || 'an error without words'
  } catch {
    return 'something that is no error'
  }
}

/** The bundler's messages are errors in all but the class. */
const isMessage = (value: unknown): value is { message: unknown } => typeof value === 'object' && value !== null && 'message' in value
