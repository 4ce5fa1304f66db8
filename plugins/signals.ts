/** Aborts with either; `end` lets go of the longer-lived one, which would otherwise collect a listener a request. */
export function joined(one: AbortSignal, other: AbortSignal) {
  const controller = new AbortController()
  const onOne = () => controller.abort(one.reason)
  const onOther = () => controller.abort(other.reason)
  const end = () => {
    one.removeEventListener('abort', onOne)
    other.removeEventListener('abort', onOther)
  }
  if (one.aborted) onOne()
  else if (other.aborted) onOther()
  else {
    one.addEventListener('abort', onOne, { once: true })
    other.addEventListener('abort', onOther, { once: true })
  }
  return { signal: controller.signal, end }
}

export function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, durationMs)
  const onAbort = () => (clearTimeout(timer), reject(signal.reason))
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  return promise.finally(() => signal.removeEventListener('abort', onAbort))
}
