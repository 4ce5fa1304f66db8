/** A connection of bytes through the same guard, for what speaks no HTTP: opened, written to, and closed when the other side has all of it. */
import { isIP, connect as connectPlain, type Socket } from 'node:net'
import { describeError, OutboundError } from './outbound-error.ts'
import { ADDRESSES_TRIED_MAX, demandAllowed, type Resolutions } from './outbound-guard.ts'
import { unlessAborted } from './waiting.ts'

export type DialRequest = {
  hostname: string
  port: number
  /** TLS, with the certificate verified for the name. */
  isSecure: boolean
  privateAllowed: boolean
  /** Until all of it is written and the other side has closed. */
  timeoutMs: number
}

export type Deliver = (request: DialRequest, bytes: Uint8Array) => Promise<void>

/**
 * Writes all of `bytes` and ends. It resolves when the other side has closed in its turn, which it does after it has read everything, or when
 * it keeps the connection open for a while without an error: as much as TCP can tell. Rejects with `OutboundError` only.
 */
export function createDeliver(deps: { resolutions: Resolutions; ca: string | undefined }): Deliver {
  return async ({ hostname, port, isSecure, privateAllowed, timeoutMs }, bytes) => {
    const limit = AbortSignal.timeout(timeoutMs)
    try {
      const resolution = await unlessAborted(limit, deps.resolutions.get(hostname))
      demandAllowed(hostname, resolution, privateAllowed)
      const socket = await opened(resolution.addresses, { hostname, port, isSecure, ca: deps.ca }, limit)
      await delivered(socket, bytes, limit)
    } catch (error) {
      if (limit.aborted && !(error instanceof OutboundError))
        throw new OutboundError('timeout', `No answer within ${Math.ceil(timeoutMs / 1000)} s.`, error)
      throw describeError(error, hostname)
    }
  }
}

type Place = { hostname: string; port: number; isSecure: boolean; ca: string | undefined }

async function opened(addresses: readonly string[], place: Place, limit: AbortSignal): Promise<Socket> {
  let refusal: OutboundError | undefined
  for (const address of addresses.slice(0, ADDRESSES_TRIED_MAX)) {
    try {
      return await openedAt(address, place, limit)
    } catch (error) {
      refusal = describeError(error, place.hostname)
      if (refusal.kind !== 'connect') throw refusal
    }
  }
  throw refusal ?? new OutboundError('resolve', `${place.hostname} has no address.`)
}

async function openedAt(host: string, { hostname, port, isSecure, ca }: Place, limit: AbortSignal): Promise<Socket> {
  // Loaded with the first use: few have a receiver, and everybody would pay for it in memory.
  const tls = isSecure ? await import('node:tls') : undefined
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const name = isIP(hostname) === 0 ? { servername: hostname } : {}
  const socket = tls
    ? tls.connect({ host, port, rejectUnauthorized: true, ...name, ...(ca === undefined ? {} : { ca }) })
    : connectPlain({ host, port })
  const giveUp = () => socket.destroy(limit.reason as Error)
  limit.addEventListener('abort', giveUp, { once: true })
  socket.once(isSecure ? 'secureConnect' : 'connect', () => resolve(socket))
  socket.once('error', reject)
  socket.once('close', () => {
    limit.removeEventListener('abort', giveUp)
    reject(new Error('The connection was closed.'))
  })
  return promise
}

/** Whoever still says nothing after so long keeps its connections open; what was written is there. */
const CLOSE_WAIT_MS = 2_000

function delivered(socket: Socket, bytes: Uint8Array, limit: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let timer: ReturnType<typeof setTimeout> | undefined
  // What the other side says is not for us.
  socket.on('data', () => undefined)
  socket.once('error', reject)
  socket.once('close', (hadError) => {
    clearTimeout(timer)
    if (hadError || limit.aborted) reject(limit.aborted ? limit.reason : new Error('The connection broke.'))
    else resolve()
  })
  socket.end(bytes, () => {
    timer = setTimeout(() => {
      resolve()
      socket.destroy()
    }, CLOSE_WAIT_MS)
  })
  return promise
}
