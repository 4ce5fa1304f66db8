import { ChannelError, type ConnectorContext } from '@/plugins/api.ts'
import { isObject } from '../local-server.ts'
import { readBytes } from '../read-bytes.ts'
import type { ToRunner } from './messages.ts'
import type { Fetching } from './worker.ts'

const ANSWER_BYTES_MAX = 4 * 1024 * 1024
const METHOD = /^[A-Z]{3,10}$/

/** What a module asks of the web goes out here, by the guarded fetch, to the hosts that were named and to no other. */
export function createFetching(context: Pick<ConnectorContext<unknown>, 'fetch'>, hosts: readonly string[]): Fetching {
  const allowed = hosts.map((host) => host.trim().toLowerCase()).filter(Boolean)
  return async ({ url, method, headers, body }, signal) => {
    const target = URL.parse(url)
    if (target === null || !allowed.some((pattern) => isWithin(target, pattern)))
      return no(`it may not reach ${target?.host.slice(0, 200) || 'this address'}`)
    if (!METHOD.test(method)) return no('it asked with a method that does not exist')
    try {
      // A redirect is an answer: the module asks again, and the new address is checked like the first.
      const response = await context.fetch(target.href, { method, headers: plain(headers), signal, ...bodyOf(body) })
      return await readAnswer(response)
    } catch (error) {
      return no(error instanceof ChannelError ? error.message : 'the request failed')
    }
  }
}

const no = (reason: string): ToRunner => ({ kind: 'not-fetched', reason })

const bodyOf = (body: string | null) => (body === null ? {} : { body: new Uint8Array(Buffer.from(body, 'base64')) })

/** A pattern without a port means the usual one of the scheme. */
function isWithin({ hostname, host }: URL, pattern: string): boolean {
  const name = pattern.includes(':') ? host : hostname
  if (!pattern.includes(':') && host !== hostname) return false
  return pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) : name === pattern
}

const plain = (headers: unknown): Record<string, string> =>
  Object.fromEntries(Object.entries(isObject(headers) ? headers : {}).map(([name, value]) => [name, String(value)]))

async function readAnswer(response: Response): Promise<ToRunner> {
  const { bytes, isCut } = await readBytes(response, ANSWER_BYTES_MAX)
  if (isCut) return no(`the answer has more than ${ANSWER_BYTES_MAX} bytes`)
  return { kind: 'fetched', status: response.status, body: Buffer.from(bytes).toString('base64') }
}
