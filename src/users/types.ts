/** The words that the files of this room share. */
import type { UserId } from '@/lib/ids.ts'
import type { users } from '@/store'

export type User = typeof users.$inferSelect
export type Role = User['role']
/** Who did it, for the audit trail: a person in the browser, or the person at the machine. */
export type Actor = { id: UserId; username: string } | 'command line'
export type From = { address: string; userAgent: string; device: string | undefined }
export type Login = { user: User; session: string; device: string }
