import type { Worker } from './worker.ts'

const WORKERS_MAX = 2

/** A few processes of one module: a call gets one to itself, or waits for it. */
export function createWorkers(start: () => Promise<Worker>) {
  const idle: Worker[] = []
  const all = new Set<Worker>()
  const queue: ((worker: Worker | undefined) => void)[] = []
  let starting = 0
  let isClosed = false

  /** Undefined when the pool was closed meanwhile. */
  async function acquire(): Promise<Worker | undefined> {
    if (isClosed) return undefined
    for (let worker = idle.pop(); worker !== undefined; worker = idle.pop()) {
      if (!worker.isGone()) return worker
      all.delete(worker)
    }
    if (all.size + starting >= WORKERS_MAX) return new Promise((resolve) => queue.push(resolve))
    starting += 1
    try {
      const worker = await start()
      all.add(worker)
      if (!isClosed) return worker
      await worker.stop()
      return undefined
    } finally {
      starting -= 1
    }
  }

  function release(worker: Worker): void {
    if (worker.isGone()) all.delete(worker)
    const next = queue.shift()
    if (!worker.isGone() && next !== undefined) next(worker)
    else if (!worker.isGone()) idle.push(worker)
    // The place is free, and whoever waited takes it with a process of their own.
    else if (next !== undefined) acquire().then(next, () => next(undefined))
  }

  return {
    async use<T>(work: (worker: Worker) => Promise<T>): Promise<T | undefined> {
      const worker = await acquire()
      if (worker === undefined) return undefined
      try {
        return await work(worker)
      } finally {
        release(worker)
      }
    },
    async close(): Promise<void> {
      isClosed = true
      for (const next of queue.splice(0)) next(undefined)
      await Promise.all([...all].map((worker) => worker.stop()))
    },
  }
}
