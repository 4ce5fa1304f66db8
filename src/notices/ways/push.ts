/**
 * Web Push: sealed for one browser (RFC 8291, in the coding of RFC 8188), vouched for by a key of the house (RFC 8292). Its carrier, the
 * browser's maker, learns when and how much is said, not what.
 */
import { createCipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto'
import { HOUR_MS } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import type { Outgoing, Sending } from '../message.ts'
import { demandAddress } from './address.ts'

export type Push = { kind: 'push'; endpoint: string; p256dh: string; auth: string }
/** The house's own key: `publicKey` is what a browser subscribes with. */
export type Vapid = { publicKey: string; privateKey: string }

const CURVE = 'prime256v1'
const POINT_BYTES = 65
const AUTH_BYTES = 16
const SALT_BYTES = 16
const RECORD_BYTES = 4_096
/** The last record ends with this (RFC 8188 §2). */
const LAST = 2
/** Texts of different lengths look alike to who carries them. */
const PADDED_BYTES = 1_024
const VOUCHED_MS = 12 * HOUR_MS
const URGENT_SECONDS = 3_600
const USUAL_SECONDS = 86_400

const decoded = (text: string) => Buffer.from(text, 'base64url')

/** A private key of the curve out of a secret of the house: the same after each start, and nothing to keep. */
export function vapidFrom(seed: Uint8Array): Vapid {
  for (let count = 0; ; count += 1) {
    // A number beyond the order of the curve is none; one in four billion is.
    const secret = Buffer.from(hkdfSync('sha256', seed, new Uint8Array(), `vapid ${count}`, 32))
    const pair = createECDH(CURVE)
    try {
      pair.setPrivateKey(secret)
    } catch {
      continue
    }
    return { publicKey: pair.getPublicKey().toString('base64url'), privateKey: secret.toString('base64url') }
  }
}

/** A browser's subscription. @throws Failure `invalid_form` */
export function readPush({ endpoint, p256dh, auth }: { endpoint: string; p256dh: string; auth: string }): Push {
  const url = demandAddress(endpoint, 'form')
  const refuse = new Failure('invalid_form', { fields: { form: 'The browser gave a subscription that cannot be used. Try it once more.' } })
  // RFC 8030 §3: nothing else than https.
  if (url.protocol !== 'https:' || decoded(p256dh).length !== POINT_BYTES || decoded(auth).length !== AUTH_BYTES) throw refuse
  try {
    const probe = createECDH(CURVE)
    probe.generateKeys()
    probe.computeSecret(decoded(p256dh))
  } catch {
    throw refuse
  }
  return { kind: 'push', endpoint: url.href, p256dh: decoded(p256dh).toString('base64url'), auth: decoded(auth).toString('base64url') }
}

/** @param once the sender's key pair and salt, made for this message alone; given only by the test of the RFC's own example */
export function sealedFor(
  { p256dh, auth }: Pick<Push, 'p256dh' | 'auth'>,
  plain: Uint8Array,
  once?: { privateKey: Buffer; salt: Buffer },
): Buffer<ArrayBuffer> {
  const sender = createECDH(CURVE)
  if (once) sender.setPrivateKey(once.privateKey)
  else sender.generateKeys()
  const salt = once?.salt ?? randomBytes(SALT_BYTES)
  const theirs = decoded(p256dh)
  const ours = sender.getPublicKey()
  const derive = (secret: Uint8Array, salted: Uint8Array, info: Uint8Array, bytes: number) =>
    Buffer.from(hkdfSync('sha256', secret, salted, info, bytes))
  const about = Buffer.concat([Buffer.from('WebPush: info\0'), theirs, ours])
  const keying = derive(sender.computeSecret(theirs), decoded(auth), about, 32)
  const key = derive(keying, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16)
  const nonce = derive(keying, salt, Buffer.from('Content-Encoding: nonce\0'), 12)
  const cipher = createCipheriv('aes-128-gcm', key, nonce)
  const sealed = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
  const size = Buffer.alloc(4)
  size.writeUInt32BE(RECORD_BYTES)
  return Buffer.concat([salt, size, Buffer.from([POINT_BYTES]), ours, sealed])
}

/** One record, filled up with zeros behind its end. */
export function padded(text: string): Buffer {
  const plain = Buffer.from(text, 'utf8')
  const bytes = Math.max(PADDED_BYTES, plain.length + 1)
  return Buffer.concat([plain, Buffer.from([LAST]), Buffer.alloc(bytes - plain.length - 1)])
}

export async function toPush(
  way: Push,
  message: Outgoing,
  { now, vapid, contact }: { now: number; vapid: Vapid; contact: string },
): Promise<Sending> {
  const { id, topic, title, text, link, isUrgent } = message
  const body = sealedFor(way, padded(JSON.stringify({ id, topic, title, text, link })))
  return {
    url: way.endpoint,
    headers: {
      'content-type': 'application/octet-stream',
      'content-encoding': 'aes128gcm',
      ttl: String(isUrgent ? URGENT_SECONDS : USUAL_SECONDS),
      urgency: isUrgent ? 'high' : 'normal',
      authorization: `vapid t=${await voucher(way.endpoint, vapid, contact, now)}, k=${vapid.publicKey}`,
    },
    body,
  }
}

async function voucher(endpoint: string, { publicKey, privateKey }: Vapid, contact: string, now: number): Promise<string> {
  const point = decoded(publicKey)
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url')) as [string, string]
  const { importJWK, SignJWT } = await import('jose')
  const key = await importJWK({ kty: 'EC', crv: 'P-256', x, y, d: privateKey }, 'ES256')
  return new SignJWT({ aud: new URL(endpoint).origin, sub: contact })
    .setProtectedHeader({ typ: 'JWT', alg: 'ES256' })
    .setExpirationTime(Math.floor((now + VOUCHED_MS) / 1_000))
    .sign(key)
}
