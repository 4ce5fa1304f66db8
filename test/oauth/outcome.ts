/** What became of an authorization request, as its person and its client see it. */
import type { Page } from '../../bench/person.ts'
import type { Change, Talk } from './talking.ts'
import { CALLBACK } from './talking.ts'

export type Outcome =
  /** A page of the server's that asks the person. */
  | 'asks'
  /** A page of the server's that says what is wrong, and no redirect. */
  | { shown: number }
  /** Back at the client, with an error or a code; `iss` says whether it is the issuer byte by byte. */
  | { error: string; state?: string; iss: boolean; fragment?: true }
  | { code: true; state?: string; iss: boolean }

export function outcomeOf(talk: Talk, { status, location }: Pick<Page, 'status' | 'location'>): Outcome {
  if (location === undefined) return status < 400 ? 'asks' : { shown: status }
  return answerIn(talk, new URL(location))
}

export function answerIn(talk: Talk, back: URL): Outcome {
  const fragment = back.hash !== ''
  const told = fragment ? new URLSearchParams(back.hash.slice(1)) : back.searchParams
  const [error, state] = [told.get('error'), told.get('state')]
  const common = { ...(state !== null && { state }), iss: told.get('iss') === talk.issuer, ...(fragment && { fragment }) }
  if (error !== null) return { error, ...common }
  if (told.has('code')) return { code: true, ...common }
  throw new Error(`neither a code nor an error: ${back.href}`)
}

export const back = (error: string): Outcome => ({ error, state: 'a state', iss: true })
export const SHOWN: Outcome = { shown: 400 }

/** A new application asks, with something changed, somebody who is signed in. */
export async function ask(talk: Talk, change: Change, said: Record<string, unknown> = {}): Promise<Outcome> {
  const app = await talk.newApp(said)
  return outcomeOf(talk, await talk.visit(talk.addressOf(talk.asking(app, change))))
}

/** Where two of something are wanted: each is sent. */
export const twice = (value: string) => [value, value] as const
export const callbackWith = (more: string) => CALLBACK + more
