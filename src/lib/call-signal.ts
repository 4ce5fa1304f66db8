type Listener = () => void

/**
 * What an `AbortController` and its signal are to a call, without the weight: one is made for each call on the shortest way, where the
 * platform's own would cost more than the call's decision. It has what those that are handed it use: `aborted`, `reason`, and listeners
 * for the one event that there is.
 */
export function createCallSignal() {
  let listeners: Listener[] | undefined
  const signal = {
    aborted: false,
    reason: undefined as unknown,
    addEventListener(_: 'abort', listener: Listener): void {
      if (signal.aborted) return
      listeners ??= []
      listeners.push(listener)
    },
    removeEventListener(_: 'abort', listener: Listener): void {
      const at = listeners?.indexOf(listener) ?? -1
      if (at >= 0) listeners?.splice(at, 1)
    },
  }
  return {
    signal: signal as unknown as AbortSignal,
    abort(reason: unknown): void {
      if (signal.aborted) return
      signal.aborted = true
      signal.reason = reason
      const heard = listeners ?? []
      listeners = undefined
      for (const listener of heard) listener()
    },
  }
}
export type CallSignal = ReturnType<typeof createCallSignal>

/** The platform's own, for whoever hands it on to the platform. */
export function nativeSignal(signal: AbortSignal): AbortSignal {
  if (signal instanceof AbortSignal) return signal
  const light = signal as AbortSignal
  const controller = new AbortController()
  if (light.aborted) controller.abort(light.reason)
  else light.addEventListener('abort', () => controller.abort(light.reason))
  return controller.signal
}
