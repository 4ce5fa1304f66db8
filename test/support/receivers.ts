/** Those who carry notices, strict about what they are sent, each on loopback: an ntfy server, a webhook's receiver, a browser maker's push service. */
import { decodeProtectedHeader, importJWK, jwtVerify } from 'jose'
import { createECDH, randomBytes } from 'node:crypto'
import ece from 'http_ece'
import { Webhook } from 'standardwebhooks'

export type Received = { title: string; text: string; link: string; topic?: string; headers: Record<string, string>; body: string }
type Refusal = { status: number; headers?: Record<string, string> }

/** @param read what the request says; throws what the real one would refuse it with */
function listen(
  read: (request: Request, body: Buffer) => Promise<Omit<Received, 'headers' | 'body'>>,
  tls?: { cert: string; key: string },
) {
  const received: Received[] = []
  const refused: string[] = []
  let refusing: Refusal | undefined
  let attempts = 0
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    ...(tls && { tls }),
    async fetch(request) {
      attempts += 1
      if (refusing) return new Response('no', refusing)
      const body = Buffer.from(await request.arrayBuffer())
      try {
        received.push({ ...(await read(request, body)), headers: Object.fromEntries(request.headers), body: body.toString('latin1') })
        return new Response('{}', { status: tls ? 201 : 200 })
      } catch (error) {
        refused.push(String(error))
        return new Response('bad', { status: 400 })
      }
    },
  })
  return {
    port: server.port ?? 0,
    received,
    /** Why it took something for malformed. */
    refused,
    attempts: () => attempts,
    refuse(how?: Refusal): void {
      refusing = how
    },
    stop: () => server.stop(true),
  }
}

const demand = (holds: unknown, why: string): void => {
  if (!holds) throw new Error(why)
}
/** Fields of a message that is published as JSON (ntfy, server/types.go: `publishMessage`). */
const FIELDS = 'topic title message priority tags click icon actions attach markdown filename email call cache firebase delay'.split(' ')
const URL_OF = /^https?:\/\/[^\s]+$/

/** As ntfy reads `POST /` (docs.ntfy.sh/publish/#publish-as-json). */
export const startNtfy = (token?: string) =>
  listen(async (request, body) => {
    const message = JSON.parse(body.toString('utf8')) as Record<string, unknown> & { actions?: Record<string, unknown>[] }
    demand(request.method === 'POST' && new URL(request.url).pathname === '/', 'messages as JSON are posted to the root')
    demand(token === undefined || request.headers.get('authorization') === `Bearer ${token}`, 'forbidden')
    for (const name of Object.keys(message)) demand(FIELDS.includes(name), `unknown field ${name}`)
    const { topic, title, message: text, priority, tags, click, actions = [] } = message
    demand(typeof topic === 'string' && /^[-_A-Za-z0-9]{1,64}$/.test(topic), 'invalid topic')
    demand(typeof text === 'string' && text.length <= 4_096, 'invalid message')
    demand(Number.isInteger(priority) && Number(priority) >= 1 && Number(priority) <= 5, 'invalid priority')
    demand(Array.isArray(tags) && tags.every((tag) => typeof tag === 'string'), 'invalid tags')
    demand(typeof click === 'string' && URL_OF.test(click), 'invalid click')
    demand(actions.length <= 3, 'only 3 actions allowed')
    for (const { action, label, url } of actions) demand(action === 'view' && label && URL_OF.test(String(url)), 'invalid action')
    return { title: String(title), text: String(text), link: String(click), topic: String(topic) }
  })

/** Checks the signature with the library that the specification's authors publish. */
export function startWebhook() {
  const secret: { is?: string } = {}
  const receiver = listen(async (request, body) => {
    const headers = Object.fromEntries(request.headers)
    const event = new Webhook(secret.is ?? '').verify(body.toString('utf8'), headers) as {
      type: string
      data: { title: string; text: string; link: string }
    }
    return { ...event.data, topic: event.type }
  })
  const knows = (given: string): void => {
    secret.is = given
  }
  return { ...receiver, knows }
}

/** A browser with its maker's push service: opens what it is sent with the browser's own key, and checks who vouches for it. */
export function startPush(tls: { cert: string; key: string }, host: string) {
  const browser = createECDH('prime256v1')
  browser.generateKeys()
  const auth = randomBytes(16).toString('base64url')
  const known: { key?: string } = {}
  const receiver = listen(async (request, body) => {
    const [, token = '', key = ''] = /^vapid t=([\w.-]+), k=([\w-]+)$/.exec(request.headers.get('authorization') ?? '') ?? []
    demand(key === known.key, 'this subscription belongs to another key')
    const point = Buffer.from(key, 'base64url')
    const [x, y] = [point.subarray(1, 33).toString('base64url'), point.subarray(33).toString('base64url')]
    const { payload } = await jwtVerify(token, await importJWK({ kty: 'EC', crv: 'P-256', x, y }, 'ES256'), {
      audience: `https://${host}:${receiver.port}`,
    })
    demand(decodeProtectedHeader(token).alg === 'ES256', 'another algorithm')
    // RFC 8292 §2: no more than a day.
    demand(Number(payload.exp) <= Date.now() / 1_000 + 86_400, 'vouched for too long')
    demand(/^(mailto:|https:)/.test(String(payload.sub)), 'nobody to write to')
    demand(request.headers.get('content-encoding') === 'aes128gcm' && /^\d+$/.test(request.headers.get('ttl') ?? ''), 'no message')
    demand(['very-low', 'low', 'normal', 'high'].includes(request.headers.get('urgency') ?? ''), 'unknown urgency')
    demand(body.length <= 4_096, 'too large')
    const plain = ece.decrypt(body, { version: 'aes128gcm', privateKey: browser, authSecret: auth })
    return JSON.parse(plain.toString('utf8')) as Omit<Received, 'headers' | 'body'>
  }, tls)
  return {
    ...receiver,
    subscribe: (key: string) => {
      known.key = key
      return { endpoint: `https://${host}:${receiver.port}/push/1`, p256dh: browser.getPublicKey().toString('base64url'), auth }
    },
  }
}
