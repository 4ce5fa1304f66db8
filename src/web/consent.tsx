/** Where a person lets an app in: the authorization request, the page that asks, and the answer's way back. */
import { type AuthorizationProblemPageProps, AuthorizationProblemPage } from '@views/authorization-problem.tsx'
import { ConsentNoProfilePage, ConsentNoToolsPage, ConsentPage, type ConsentRequest, type ReturnPlace } from '@views/consent.tsx'
import type { BareShell } from '@views/layout.tsx'
import type { FormState } from '@views/parts/field.tsx'
import { redirectKind } from '@/clients'
import type { Doors } from '@/http/doors.ts'
import type { Incoming } from '@/http/incoming.ts'
import { type Reply, SECURITY_HEADERS } from '@/http/reply.ts'
import { isFailure, Failure } from '@/lib/failure.ts'
import { CHOSEN_PROFILE, type Oauth, type OfferedProfile, type Pending, readForm, resourceAddress } from '@/oauth'
import type { Session, User } from '@/users'
import { browserOf } from './browsers.ts'

type Parts = {
  doors: Pick<Doors, 'open'>
  reply: Reply
  shell: { bare(request: Request): BareShell }
  oauth: Pick<Oauth, 'begin' | 'pending' | 'decide'>
  profiles: {
    list(userId: User['id']): Promise<OfferedProfile[]>
    create(user: User, asked: { title: string; name: string }): Promise<unknown>
    ensureFirst(user: User): Promise<unknown>
  }
  addresses: { readonly base: string }
}
/** One visit: who asks for what, in which browser session. */
type Visit = { request: Request; incoming: Incoming; session: Session; secret: string }
type Entered = { request: Request; incoming: Incoming; session: Session | undefined }
type Posted = { toolIds: ReadonlySet<string>; form: FormState }

const GONE = {
  code: 'invalid_request',
  message: 'This request was answered already, has expired, or was opened in another browser session.',
  fix: 'Nothing was allowed by it now. Start again from the app.',
}

export function consentRoutes(parts: Parts) {
  const { doors } = parts
  return doors
    .open('/oauth')
    .get('/authorize', (entered) => ask(parts, entered))
    .post('/authorize/decide', (entered) => decide(parts, entered), { parse: 'none' })
    .post('/authorize/profile', (entered) => makeProfile(parts, entered), { parse: 'none' })
}

/** Out of the house, to an address that was registered. A GET must follow, whatever came before. */
const away = (location: string) =>
  new Response(null, { status: 303, headers: { ...SECURITY_HEADERS, location, 'cache-control': 'no-store' } })

const problem = ({ reply, shell }: Parts, request: Request, said: Omit<AuthorizationProblemPageProps, 'shell'>) =>
  reply.consentPage(<AuthorizationProblemPage shell={shell.bare(request)} {...said} />, { status: 400 })

async function ask(parts: Parts, { request, incoming, session }: Entered): Promise<Response> {
  const { oauth, reply, addresses } = parts
  const { search, searchParams } = new URL(request.url)
  const verdict = await oauth.begin(searchParams, { origin: incoming.origin, base: addresses.base }, session)
  if (verdict.kind === 'send-back') return away(verdict.to)
  if (verdict.kind === 'show') return problem(parts, request, shown(verdict.problem, searchParams))
  if (verdict.kind === 'sign-in' || !session) return reply.to(request, `/login?next=${encodeURIComponent(`/oauth/authorize${search}`)}`)
  return consent(parts, { request, incoming, session, secret: verdict.secret })
}

const MESSAGES: Record<string, string> = {
  invalid_client: 'Toolpass does not know this app; perhaps its registration has expired or was removed.',
  unauthorized_client: 'An administrator has blocked this app.',
}

function shown({ error, error_description }: { error: string; error_description: string }, query: URLSearchParams) {
  const named = error === 'invalid_client' ? query.get('client_id') : query.get('redirect_uri')
  return {
    code: error,
    message: MESSAGES[error] ?? 'The app asks to be answered at an address that it did not register.',
    detail: `${error_description}${named ? `: ${named}` : ''}`,
  }
}

async function consent(parts: Parts, visit: Visit, posted?: Posted): Promise<Response> {
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
  const { request, incoming, session } = visit
  const common = asking(parts, visit, pending)
  const { profile, tools } = pending
  if (!profile) {
    const profileTitles = (await profiles.list(session.user.id)).map(({ title }) => title)
    return reply.consentPage(<ConsentNoProfilePage {...common} slug={pending.profileName ?? 'personal'} profileTitles={profileTitles} />)
  }
  const { id, title, name } = profile
  const shownProfile = { id, title, address: resourceAddress({ origin: incoming.origin, base: addresses.base }, name) }
  const otherProfiles = pending.otherProfiles.map((other) => ({ title: other.title, href: pathFor(pending.returnPath, other.name) }))
  if (tools.length === 0) return reply.consentPage(<ConsentNoToolsPage {...common} profile={shownProfile} otherProfiles={otherProfiles} />)
  const offered = tools.map(({ toolId, exposedName, connectionName, definition, kind, contextCost }) => ({
    ...{ id: toolId, exposedName, connection: connectionName, kind, contextCost },
    description: typeof definition['description'] === 'string' ? definition['description'] : '',
    on: posted ? posted.toolIds.has(toolId) : kind !== 'destructive',
  }))
  const page = (
    <ConsentPage
      {...common}
      profile={shownProfile}
      otherProfiles={otherProfiles}
      tools={offered}
      deviceName={browserOf(request.headers.get('user-agent') ?? '')}
      form={posted?.form}
    />
  )
  return reply.consentPage(page, { status: posted ? 422 : 200 })
}

const asking = ({ shell }: Parts, { request, session, secret }: Visit, { client, redirectUri, returnPath }: Pending): ConsentRequest => ({
  shell: shell.bare(request),
  username: session.user.username,
  request: secret,
  returnPath,
  client: {
    name: client.name,
    verification:
      client.kind === 'registered'
        ? { level: 'registered' }
        : client.kind === 'document'
          ? { level: 'document', host: new URL(client.identifier).host }
          : { level: 'unverified' },
  },
  returnPlace: placeOf(redirectUri),
})

function placeOf(redirectUri: string): ReturnPlace {
  const kind = redirectKind(redirectUri)
  const { protocol, host } = new URL(redirectUri)
  return { kind, to: kind === 'scheme' ? `${protocol}${host && `//${host}`}` : host }
}

/** The same request again, for another profile. */
function pathFor(returnPath: string, profileName: string): string {
  const [path, query] = returnPath.split('?', 2)
  const changed = new URLSearchParams(query)
  changed.set(CHOSEN_PROFILE, profileName)
  return `${path}?${changed}`
}

function demandSession(session: Session | undefined): Session {
  if (!session) throw new Failure('not_signed_in')
  return session
}

async function decide(parts: Parts, entered: Entered): Promise<Response> {
  const { request, incoming } = entered
  const session = demandSession(entered.session)
  const form = await readForm(request)
  const secret = form.get('request') ?? ''
  const toolIds = form.getAll('tool_id')
  const deviceName = form.get('device_name') ?? ''
  const expires = form.get('expires') ?? ''
  try {
    return away(await parts.oauth.decide(secret, session, { decision: form.get('decision') ?? '', toolIds, expires, deviceName }))
  } catch (error) {
    if (isFailure(error, 'not_found')) return problem(parts, request, GONE)
    if (!isFailure(error, 'invalid_form')) throw error
    const values = { device_name: deviceName, expires }
    return consent(parts, { request, incoming, session, secret }, { toolIds: new Set(toolIds), form: { values, errors: error.fields } })
  }
}

/** Makes the profile whose address the app was given, then asks again. The name is the request's, not the form's. */
async function makeProfile(parts: Parts, { request, session: known }: Entered): Promise<Response> {
  const session = demandSession(known)
  const form = await readForm(request)
  const pending = await parts.oauth.pending(form.get('request') ?? '', session)
  if (!pending) return problem(parts, request, GONE)
  if (!pending.profile && pending.profileName !== undefined)
    await parts.profiles.create(session.user, { title: form.get('title') || pending.profileName, name: pending.profileName })
  return parts.reply.to(request, pending.returnPath)
}
