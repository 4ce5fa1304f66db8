type Listener = () => void

/**
 * What an `AbortController` and its signal are to a call, without the weight: one is made for each call on the shortest way, where the
 * platform's own would cost more than the call's decision. It has what those that are handed its signal use: `aborted`, `reason`, and
 * listeners for the one event that there is.
 */
export class CallSignal {
  aborted = false
  reason: unknown = undefined
  private listeners: Listener[] | undefined = undefined

  /** Itself, as those see it who only listen. */
  get signal(): AbortSignal {
    return this as unknown as AbortSignal
  }
  addEventListener(_: 'abort', listener: Listener): void {
    if (this.aborted) return
    if (this.listeners === undefined) this.listeners = [listener]
    else this.listeners.push(listener)
  }
  removeEventListener(_: 'abort', listener: Listener): void {
    const at = this.listeners?.indexOf(listener) ?? -1
    if (at >= 0) this.listeners?.splice(at, 1)
  }
  abort(reason: unknown): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    const heard = this.listeners ?? []
    this.listeners = undefined
    for (const listener of heard) listener()
  }
}

/** The platform's own, for whoever hands it on to the platform. */
export function nativeSignal(signal: AbortSignal): AbortSignal {
  if (signal instanceof AbortSignal) return signal
  const light = signal as AbortSignal
  const controller = new AbortController()
  if (light.aborted) controller.abort(light.reason)
  else light.addEventListener('abort', () => controller.abort(light.reason))
  return controller.signal
}
