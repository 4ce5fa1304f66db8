const SUCCESS = 0
const BAD_DESCRIPTOR = 8
const NOT_OFFERED = 52
const STDOUT = 1
const STDERR = 2
const RANDOM_BYTES_MAX = 65_536

type Instance = () => WebAssembly.Instance | undefined
type Offered = (...args: never[]) => number | undefined
/** The library puts its own context before the arguments. */
type Function = (context: unknown, ...args: never[]) => number | undefined

/**
 * As much of WASI (preview 1) as compilers put into every module: clock, chance, an empty environment, writing to a log. There
 * are no files, no sockets and no arguments; whatever else is asked for is answered with "not supported".
 */
export function createWasi(names: readonly string[], instance: Instance, log: (text: string) => void): Record<string, Function> {
  const memory = () => instance()?.exports['memory'] as WebAssembly.Memory | undefined
  const view = () => new DataView((memory() ?? new WebAssembly.Memory({ initial: 0 })).buffer)
  const twoZeros = (first: number, second: number) => {
    view().setUint32(first, 0, true)
    view().setUint32(second, 0, true)
    return SUCCESS
  }
  const offered: Record<string, Offered> = {
    args_sizes_get: twoZeros,
    environ_sizes_get: twoZeros,
    args_get: () => SUCCESS,
    environ_get: () => SUCCESS,
    sched_yield: () => SUCCESS,
    clock_time_get: (_clock: number, _precision: bigint, at: number) => {
      view().setBigUint64(at, BigInt(Date.now()) * 1_000_000n, true)
      return SUCCESS
    },
    random_get: (at: number, length: number) => {
      const bytes = new Uint8Array(view().buffer, at, length)
      for (let from = 0; from < length; from += RANDOM_BYTES_MAX)
        crypto.getRandomValues(bytes.subarray(from, Math.min(length, from + RANDOM_BYTES_MAX)))
      return SUCCESS
    },
    fd_write: (descriptor: number, vectors: number, count: number, written: number) => {
      if (descriptor !== STDOUT && descriptor !== STDERR) return BAD_DESCRIPTOR
      let bytes = 0
      for (let index = 0; index < count; index += 1) {
        const at = view().getUint32(vectors + index * 8, true)
        const length = view().getUint32(vectors + index * 8 + 4, true)
        log(new TextDecoder().decode(new Uint8Array(view().buffer, at, Math.min(length, 2_000))))
        bytes += length
      }
      view().setUint32(written, bytes, true)
      return SUCCESS
    },
    fd_close: () => BAD_DESCRIPTOR,
    fd_prestat_get: () => BAD_DESCRIPTOR,
    fd_fdstat_get: () => BAD_DESCRIPTOR,
    proc_exit: () => {
      throw new Error('it ended itself')
    },
  }
  const of = (name: string): Offered => (Object.hasOwn(offered, name) ? offered[name] : undefined) ?? (() => NOT_OFFERED)
  return Object.fromEntries(names.map((name): [string, Function] => [name, (_context, ...args) => of(name)(...args)]))
}
