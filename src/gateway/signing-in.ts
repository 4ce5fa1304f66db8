/**
 * A call that needs a person first: the sign-in at its server. A client that can show a link is given one (URL elicitation), any other
 * reads it in the answer. The link is not a key: whoever opens it has to be signed in here, as the very user whose call it was
 * (2025-11-25 and 2026-07-28, "Elicitation", "Safe URL handling" and "Phishing").
 */
import type { Clock } from '@/lib/clock.ts'
import { MINUTE_MS, SECOND_MS } from '@/lib/clock.ts'
import { equal, hmac } from '@/lib/crypto.ts'
import { Failure } from '@/lib/failure.ts'
import type { ConnectionId, UserId } from '@/lib/ids.ts'
import { AskRefused } from '@/connections'
import type { JsonObject } from '@/plugins'
import type { Caller } from './caller.ts'
import { CODES, isObject, Refusal, textOf } from './messages.ts'
import { lacking, type Talk } from './talk.ts'
import type { Target } from './targets.ts'

/** Who said that they opened the link may still be typing a password. */
const SIGNING_IN_MS_MAX = 25 * SECOND_MS
const LOOK_EVERY_MS = 500
const LINK_MS = 60 * MINUTE_MS

type Deps = {
  key: Uint8Array
  clock: Clock
  /** Differs once the credential that this user's use goes with is another. */
  credentialMark(id: ConnectionId, userId: UserId): Promise<string>
}

export function createSignInLinks({ key, clock, credentialMark }: Deps) {
  const signed = (text: string) => `${text}.${hmac(key, text)}`
  /** Whose, for what, until when. */
  const linkFor = ({ home, userId }: Caller, { connectionId }: Target) =>
    `${home}/connections/${connectionId}/sign-in?for=${signed(`${userId}~${connectionId}~${clock() + LINK_MS}`)}`
  const sentence = ({ tool }: Target) => `${tool.connectionName} needs a sign-in before this tool works.`

  /** Asks to open a link. True when the person agreed. */
  const open = async (params: JsonObject, talk: Talk): Promise<boolean> => {
    const question = { method: 'elicitation/create', params: { ...params, mode: 'url' } }
    if (lacking(talk.capabilities, question)) return false
    // On 2025-11-25 what a call needs first is said in an error, and the call is made again (error -32042).
    if (!talk.isModern)
      throw new Refusal(200, {
        code: CODES.urlElicitation,
        message: textOf(params['message']) || 'Open a link first.',
        data: { elicitations: [question.params] },
      })
    const answer = await talk.ask(question, talk.signal).catch((error) => (error instanceof AskRefused ? undefined : Promise.reject(error)))
    return answer?.['action'] === 'accept'
  }

  return {
    /** For the page that the link leads to: whether it was made for this user and this connection, lately. */
    isFor(text: string, userId: UserId, connectionId: ConnectionId): boolean {
      const [whose, what, until] = text.slice(0, text.lastIndexOf('.')).split('~')
      return equal(text, signed(`${whose}~${what}~${until}`)) && whose === userId && what === connectionId && Number(until) > clock()
    },
    /** True when the call may be tried again. */
    async signedIn(caller: Caller, target: Target, talk: Talk): Promise<boolean> {
      const url = linkFor(caller, target)
      const before = await credentialMark(target.connectionId, caller.userId)
      if (!(await open({ message: sentence(target), url, elicitationId: `${target.connectionId}-${caller.userId}` }, talk))) return false
      const until = clock() + SIGNING_IN_MS_MAX
      while (clock() < until && !talk.signal.aborted) {
        if ((await credentialMark(target.connectionId, caller.userId)) !== before) return true
        await Bun.sleep(LOOK_EVERY_MS)
      }
      return false
    },
    /** Links of an upstream's own. True when all were opened. */
    async opened(links: readonly JsonObject[], talk: Talk): Promise<boolean> {
      for (const link of links) if (!isObject(link) || !(await open(link, talk))) return false
      return true
    },
    /** What the person reads in their app, with the page on which they can do something about it. */
    failure: (caller: Caller, target: Target, cause: Failure): Failure =>
      new Failure('upstream_unauthorized', { message: `${sentence(target)} Open ${linkFor(caller, target)}`, cause }),
  }
}
export type SignInLinks = ReturnType<typeof createSignInLinks>
