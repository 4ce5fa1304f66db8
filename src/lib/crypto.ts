/** Random values, hashes, comparison, and the one cipher of the house. Nothing here knows what it protects. */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'

// Crockford's alphabet in lower case: no i, l, o, u, so an id can be read aloud.
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/** `length` characters, 5 random bits each. */
export function randomText(length: number): string {
  let text = ''
  for (const byte of randomBytes(length)) text += ALPHABET[byte & 31]
  return text
}

/** A secret of `bytes` random bytes (32 by default) as base64url. */
export const randomSecret = (bytes = 32): string => randomBytes(bytes).toString('base64url')

/** For secrets of full entropy only; what people choose goes through argon2id. */
export const sha256 = (text: string | Uint8Array): string => Bun.CryptoHasher.hash('sha256', text, 'base64url')

export const hmac = (key: Uint8Array, text: string): string => createHmac('sha256', key).update(text).digest('base64url')

/** HMAC-SHA-256 of many texts with one key, of which the first half is done once. */
export function keyedHashing(key: Uint8Array): (text: string) => Buffer {
  const begun = new Bun.CryptoHasher('sha256', key)
  return (text) => begun.copy().update(text).digest()
}

export const deriveKey = (key: Uint8Array, purpose: string): Buffer => Buffer.from(hkdfSync('sha256', key, new Uint8Array(), purpose, 32))

/** Constant-time for texts of equal length; a different length is no secret here. */
export function equal(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}

const IV_BYTES = 12
const TAG_BYTES = 16

/** AES-256-GCM with a random 96-bit IV: `iv | ciphertext | tag`. `bound` is authenticated, not stored. */
export function seal(key: Uint8Array, plain: Uint8Array | string, bound: string): Buffer {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(bound))
  return Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

/** Throws when the key, the bound text or a single bit differs. */
export function unseal(key: Uint8Array, sealed: Uint8Array, bound: string): Buffer {
  const bytes = Buffer.from(sealed)
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(bound)).setAuthTag(bytes.subarray(-TAG_BYTES))
  return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()])
}
