import type * as Argon2 from '@node-rs/argon2'
import { Failure } from '@/lib/failure.ts'

// The addon's own enumeration is erased by the compiler, so its number stands here.
const ARGON2ID = 2
// OWASP's second recommended setting for argon2id: 19 MiB, two passes; about 20 ms on one core.
const OPTIONS = { algorithm: ARGON2ID, memoryCost: 19_456, timeCost: 2, parallelism: 1 }
export const MINIMUM_PASSWORD_LENGTH = 10
/** Longer input is refused before it is hashed: hashing is the dearest thing a stranger can make us do. */
const PASSWORD_LENGTH_MAX = 256
const AT_ONCE_MAX = 4

/** @throws Failure `invalid_form` with a sentence for the field */
export function demandUsable(password: string, username: string, field = 'password'): void {
  const problem =
    password.length < MINIMUM_PASSWORD_LENGTH
      ? `Use at least ${MINIMUM_PASSWORD_LENGTH} characters. A short sentence is easy to remember.`
      : password.length > PASSWORD_LENGTH_MAX
        ? `Use at most ${PASSWORD_LENGTH_MAX} characters.`
        : password.toLowerCase().includes(username.toLowerCase()) && password.length < username.length + 6
          ? 'This is too close to the user name.'
          : new Set(password).size < 4
            ? 'This repeats too few characters.'
            : undefined
  if (problem) throw new Failure('invalid_form', { fields: { [field]: problem } })
}

/** A native library that most hours of a house do without: only who signs in with a password waits for it, once. */
let loaded: Promise<typeof Argon2> | undefined
const argon2 = (): Promise<typeof Argon2> => (loaded ??= import('@node-rs/argon2'))

/** argon2id, few at a time: each holds 19 MiB, and a flood of log-ins must not take the memory of the calls. */
export function createPasswords() {
  let running = 0
  const waiting: (() => void)[] = []
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    while (running >= AT_ONCE_MAX) await new Promise<void>((resolve) => waiting.push(resolve))
    running++
    try {
      return await work()
    } finally {
      running--
      waiting.shift()?.()
    }
  }
  const hashed = (password: string) => inTurn(async () => (await argon2()).hash(password, OPTIONS))
  // Checked when there is no such user, so that an unknown name takes as long as a wrong password.
  let decoy: Promise<string> | undefined
  return {
    hash: hashed,
    async verify(known: string | undefined, password: string): Promise<boolean> {
      if (password.length > PASSWORD_LENGTH_MAX) return false
      decoy ??= hashed(crypto.randomUUID())
      const against = known ?? (await decoy)
      const fits = await inTurn(async () => (await argon2()).verify(against, password))
      return fits && known !== undefined
    },
  }
}
export type Passwords = ReturnType<typeof createPasswords>
