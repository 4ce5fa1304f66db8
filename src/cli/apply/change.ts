/** One difference between what is declared and what there is, and how it is made. */
import type { House } from '@/app.ts'
import { Failure } from '@/lib/failure.ts'
import type { User } from '@/users'
import type { MadeList } from './made.ts'
import type { Manifest, Problem } from './shape.ts'

export const PARTS = ['users', 'clients', 'connections', 'profiles', 'prune'] as const
export type Part = (typeof PARTS)[number]

/** Something to be told once it is done; a path is one of our own pages. */
export type Note = { text: string; path?: string }
export type Change = {
  part: Part
  /** `+ connection ada/GitHub (settings.url)`: names of fields, never their values. */
  line: string
  /** @throws Failure */
  run(): Promise<Note[]>
}
export type Found = { changes: Change[]; problems: Problem[] }

export type Ground = { house: House; manifest: Manifest; made: MadeList; users: ReadonlyMap<string, User> }

export const BY = 'command line'

export const keyOf = (name: string): string => name.normalize('NFKC').toLowerCase()
export const sameName = (one: string, other: string): boolean => keyOf(one) === keyOf(other)

export function lineOf(sign: '+' | '~' | '-', what: string, fields: readonly string[] = []): string {
  return `${sign} ${what}${fields.length > 0 ? ` (${fields.join(', ')})` : ''}`
}

/** Made in this very run, it may be, so it is looked up when it is needed. */
export async function demandOwner({ house }: Ground, username: string): Promise<User> {
  const user = await house.users.findByName(username)
  if (!user) throw new Failure('user_not_found', { message: `There is no user "${username}".` })
  return user
}

/** Who will own it, as far as it matters before they exist. */
export function roleOf({ users, manifest }: Ground, username: string): User['role'] | undefined {
  const declared = manifest.users.find((user) => sameName(user.username, username))
  const known = users.get(keyOf(username))
  if (!declared && !known) return undefined
  return declared?.role ?? known?.role ?? 'member'
}

export const unknownOwner = (path: Problem['path'], owner: string): Problem => ({
  path,
  message: `names "${owner}", but there is no such user here or in this file.`,
})

export const sentenceOf = (failure: Failure): string => Object.values(failure.fields).join(' ') || failure.message
