/**
 * Who sees a connection, uses it, changes it, and whose credential goes along. Pure and in one place, so that a page, a call
 * and a sign-in cannot differ about it.
 */
import type { UserId } from '@/lib/ids.ts'

type Asker = { id: UserId; role?: 'admin' | 'member' }
type Asked = { ownerId: UserId; visibility: 'private' | 'open'; credentialOf: 'owner' | 'each' }
export type May = {
  see: boolean
  /** Put its tools into profiles and call them. */
  use: boolean
  /** Its name, its settings, its end. */
  change: boolean
  /** Give it a credential: who may not would give away, or take, somebody else's. */
  signIn: boolean
  /** Whose credential a use by this user goes with. There is no other, and no default. */
  credentialOf: UserId
}

export function may(user: Asker, { ownerId, visibility, credentialOf }: Asked): May {
  const isOwner = ownerId === user.id
  const isOpen = visibility === 'open'
  const use = isOwner || isOpen
  const whose = isOpen && credentialOf === 'each' ? user.id : ownerId
  return { see: use, use, change: isOwner || (isOpen && user.role === 'admin'), signIn: use && whose === user.id, credentialOf: whose }
}
