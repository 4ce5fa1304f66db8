/** Which variant of the consent page a request gets, and what is on it. */
import { type AuthorizationProblemPageProps, AuthorizationProblemPage } from '@views/authorization-problem.tsx'
import { ConsentNoProfilePage, ConsentNoToolsPage, ConsentPage, type Unready } from '@views/consent.tsx'
import type { ConsentRequest, ProfileChoice } from '@views/consent-parts.tsx'
import { ConsentPolicyPage } from '@views/consent-policy.tsx'
import type { BareShell } from '@views/layout.tsx'
import type { FormState } from '@views/parts/field.tsx'
import type { Doors } from '@/http/doors.ts'
import type { Incoming } from '@/http/incoming.ts'
import type { Reply } from '@/http/reply.ts'
import type { ConnectionId } from '@/lib/ids.ts'
import { type Oauth, type OfferedProfile, type OfferedTool, type Pending, resourceAddress } from '@/oauth'
import type { Session, User } from '@/users'
import { browserOf } from './browsers.ts'
import { SEARCH_COST, switchesOf } from './offered.ts'
import { earlierOf, placeOf, proposedExpiry, proposedTools, replaceableOf, verificationOf } from './consent-facts.ts'

export type Parts = {
  doors: Pick<Doors, 'open'>
  reply: Reply
  shell: { bare(request: Request): BareShell }
  oauth: Pick<Oauth, 'begin' | 'beginDevice' | 'pending' | 'choose' | 'approve' | 'decide'>
  profiles: {
    list(userId: User['id']): Promise<OfferedProfile[]>
    create(user: User, asked: { title: string; name: string }): Promise<unknown>
    ensureFirst(user: User): Promise<unknown>
  }
  connections: { list(user: User): Promise<{ id: ConnectionId; name: string; status: string; problem: string | null }[]> }
  addresses: { readonly base: string }
}
/** One visit: who asks for what, in which browser session. */
export type Visit = { request: Request; incoming: Incoming; session: Session; secret: string }
/** What was entered before, for the same page again; a field that is missing comes up as if for the first time. */
export type Posted = { toolIds?: ReadonlySet<string>; replaces?: ReadonlySet<string>; form: FormState }

export const GONE = {
  code: 'invalid_request',
  message: 'This request was answered already, has expired, or was opened in another browser session.',
  fix: 'Nothing was allowed by it now. Start again from the app.',
}

export const problem = ({ reply, shell }: Parts, request: Request, said: Omit<AuthorizationProblemPageProps, 'shell'>) =>
  reply.consentPage(<AuthorizationProblemPage shell={shell.bare(request)} {...said} />, { status: 400 })

export async function consent(parts: Parts, visit: Visit, posted?: Posted): Promise<Response> {
  const { oauth, profiles } = parts
  const { request, session, secret } = visit
  let pending = await oauth.pending(secret, session)
  if (pending && !pending.profile && pending.profileName === undefined) {
    await profiles.ensureFirst(session.user)
    pending = await oauth.pending(secret, session)
  }
  return pending ? draw(parts, visit, pending, posted) : problem(parts, request, GONE)
}

async function draw(parts: Parts, visit: Visit, pending: Pending, posted: Posted | undefined): Promise<Response> {
  const { reply, profiles, addresses } = parts
  const { incoming, session } = visit
  const common = asking(parts, visit, pending)
  const { profile, tools, admission } = pending
  if (admission !== 'admitted') {
    const why = admission === 'not-listed' ? 'not-listed' : 'waits'
    return reply.consentPage(<ConsentPolicyPage {...common} why={why} mayApprove={session.user.role === 'admin'} />)
  }
  const own = await profiles.list(session.user.id)
  if (!profile) {
    const profileTitles = own.map(({ title }) => title)
    return reply.consentPage(<ConsentNoProfilePage {...common} slug={pending.profileName ?? 'personal'} profileTitles={profileTitles} />)
  }
  const { id, title, name } = profile
  const shown = { id, title, address: resourceAddress({ origin: incoming.origin, base: addresses.base }, name) }
  const choices = pending.choices.map((each): ProfileChoice => ({ name: each.name, title: each.title, current: each.id === id }))
  if (tools.length === 0) return reply.consentPage(<ConsentNoToolsPage {...common} profile={shown} choices={choices} />)
  const page = (
    <ConsentPage
      {...common}
      {...proposal(visit, pending, own, posted)}
      profile={shown}
      choices={choices}
      unready={await unreadyOf(parts, session.user, tools)}
    />
  )
  const isRefused = Object.keys(posted?.form.errors ?? {}).length > 0
  return reply.consentPage(page, { status: isRefused ? 422 : 200 })
}

const asking = ({ shell }: Parts, { request, session, secret }: Visit, pending: Pending): ConsentRequest => ({
  shell: shell.bare(request),
  username: session.user.username,
  request: secret,
  returnPath: pending.returnPath,
  client: { name: pending.client.name, verification: verificationOf(pending.client), known: pending.known },
  returnPlace: placeOf(pending.answer),
})

function proposal({ request }: Visit, pending: Pending, own: readonly OfferedProfile[], posted: Posted | undefined) {
  const on = posted?.toolIds ?? proposedTools(pending)
  const expires = posted?.form.values?.['expires'] || proposedExpiry(pending)
  const replaceable = replaceableOf(pending, own)
  return {
    tools: switchesOf(pending.tools, ({ toolId }) => on.has(toolId)),
    searchCost: pending.profile?.delivery === 'search' ? SEARCH_COST : undefined,
    expires,
    earlier: earlierOf(pending, { on, expires, profiles: own }),
    replaceable: replaceable.map((each) => ({ ...each, on: posted?.replaces?.has(each.id) ?? each.on })),
    deviceName: replaceable.find((each) => each.on)?.device || deviceOf(request, pending),
    form: posted?.form,
  }
}

/** The browser runs where the app does, as a rule; a device is somewhere else by definition. */
const deviceOf = (request: Request, { answer }: Pending): string =>
  answer.kind === 'device' ? '' : browserOf(request.headers.get('user-agent') ?? '')

async function unreadyOf({ connections }: Parts, user: User, tools: readonly OfferedTool[]): Promise<Unready[]> {
  const used = new Set(tools.map(({ connectionId }) => connectionId))
  return (await connections.list(user))
    .filter(({ id, status }) => used.has(id) && status === 'failing')
    .map(({ id, name, problem: says }) => ({ id, name, problem: says ?? '' }))
}
