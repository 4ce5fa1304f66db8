import { Bag, NOWHERE, type Bagged } from './bag.ts'

/** One clock for all that is waited for in many places at once: a timer for each would cost more than most of the waiting. */
const LOOK_EVERY_MS = 250

type Waiting = Bagged & { untilMs: number; giveUp(): void }

const waiting = new Bag<Waiting>()
let timer: ReturnType<typeof setInterval> | undefined

function look(): void {
  const nowMs = performance.now()
  for (const each of waiting.all()) if (each.untilMs <= nowMs) each.giveUp()
  if (waiting.size > 0) return
  clearInterval(timer)
  timer = undefined
}

/** Settles as `work` does, or rejects with what `late` makes, up to a quarter of a second after `msMax`. */
export function withinTime<T>(msMax: number, work: Promise<T>, late: () => Error): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const it: Waiting = {
    index: NOWHERE,
    untilMs: performance.now() + msMax,
    giveUp: () => {
      waiting.delete(it)
      reject(late())
    },
  }
  waiting.add(it)
  timer ??= setInterval(look, LOOK_EVERY_MS).unref()
  work.then(
    (value) => {
      waiting.delete(it)
      resolve(value)
    },
    (error) => {
      waiting.delete(it)
      reject(error)
    },
  )
  return promise
}

/** Settles with the work or with the abort, whichever is first: not everything can be interrupted. Rejects with the signal's reason. */
export function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  if (signal.aborted) return Promise.reject(signal.reason)
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  return promise
}
