/** Checkpoints are signed with a key that comes from the root key and is kept nowhere; whoever has the public half can check them elsewhere. */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import type { auditCheckpoints } from '@/store'

export type Checkpoint = typeof auditCheckpoints.$inferSelect
export type Unsigned = Omit<Checkpoint, 'signature'>

/** PKCS #8 around the seed of an Ed25519 key (RFC 8410 §7). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')

/** What is signed: everything that a checkpoint says, in an order of its own. */
const textOf = ({ seq, at, rows, chain, why }: Unsigned): Buffer =>
  Buffer.from(JSON.stringify(['toolpass audit checkpoint v1', seq, at, rows, chain, why]))

export type Signing = ReturnType<typeof createSigning>

/** @param seed 32 bytes */
export function createSigning(seed: Uint8Array) {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(key)
  return {
    /** As PEM, as other programs take it. */
    publicKey: String(publicKey.export({ format: 'pem', type: 'spki' })).trim(),
    signed: (checkpoint: Unsigned): Checkpoint => ({ ...checkpoint, signature: sign(null, textOf(checkpoint), key).toString('base64url') }),
    isOurs: (checkpoint: Checkpoint): boolean =>
      verify(null, textOf(checkpoint), publicKey, Buffer.from(checkpoint.signature, 'base64url')),
  }
}
