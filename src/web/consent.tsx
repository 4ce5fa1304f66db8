/** Where a person lets an app in: the authorization request, the page that asks, and the answer's way back. */
import type { Incoming } from '@/http/incoming.ts'
import { SECURITY_HEADERS } from '@/http/reply.ts'
import { isFailure, Failure } from '@/lib/failure.ts'
import { type Pending, readForm } from '@/oauth'
import type { Session } from '@/users'
import { consent, GONE, type Parts, type Posted, problem, type Visit } from './consent-show.tsx'

type Entered = { request: Request; incoming: Incoming; session: Session | undefined }

export const consentRoutes = (parts: Parts) =>
  parts.doors
    .open('/oauth')
    .get('/authorize', (entered) => ask(parts, entered))
    .post('/authorize/decide', (entered) => decide(parts, entered), { parse: 'none' })
    .post('/authorize/profile', (entered) => makeProfile(parts, entered), { parse: 'none' })
    .post('/authorize/approve', (entered) => approve(parts, entered), { parse: 'none' })

/** Out of the house, to an address that was registered. A GET must follow, whatever came before. */
const away = (location: string) =>
  new Response(null, { status: 303, headers: { ...SECURITY_HEADERS, location, 'cache-control': 'no-store' } })

async function ask(parts: Parts, { request, incoming, session }: Entered): Promise<Response> {
  const { oauth, reply, addresses } = parts
  demandVisit(request)
  const { search, searchParams } = new URL(request.url)
  const verdict = await oauth.begin(searchParams, { origin: incoming.origin, base: addresses.base }, session, incoming.address)
  if (verdict.kind === 'send-back') return away(verdict.to)
  if (verdict.kind === 'hold-back') return problem(parts, request, heldBack(verdict.problem))
  if (verdict.kind === 'show') return problem(parts, request, shown(verdict.problem, searchParams))
  if (verdict.kind === 'sign-in' || !session) return reply.to(request, `/login?next=${encodeURIComponent(`/oauth/authorize${search}`)}`)
  return consent(parts, { request, incoming, session, secret: verdict.secret })
}

/** A person comes here with their browser. A picture or a script of a page elsewhere would have us look things up at their expense. */
function demandVisit({ headers }: Request): void {
  const isForeign = /^(cross|same)-site$/.test(headers.get('sec-fetch-site') ?? '')
  if (isForeign && headers.get('sec-fetch-dest') !== 'document') throw new Failure('foreign_origin')
}

const heldBack = ({ error, error_description }: { error: string; error_description: string }) => ({
  code: error,
  message: 'The app sent a request that cannot be put before you, and nobody has approved it here yet.',
  detail: error_description,
  fix: FROM_THE_APP,
})

const UNKNOWN = 'Toolpass does not know this app; perhaps its registration has expired or was removed.'
const DOCUMENT = 'The document in which this app describes itself cannot be used.'
const FROM_THE_APP = 'Nothing was allowed. Start again from the app.'
const MESSAGES: Record<string, string> = {
  unauthorized_client: 'An administrator has blocked this app.',
  invalid_request_uri: 'The app sent a request that has expired or was used already.',
}

function shown({ error, error_description }: { error: string; error_description: string }, query: URLSearchParams) {
  const clientId = query.get('client_id') ?? ''
  const named = error === 'invalid_client' ? clientId : query.get('redirect_uri')
  const isDocument = error === 'invalid_client' && clientId.startsWith('https://')
  const message =
    error === 'invalid_client'
      ? isDocument
        ? DOCUMENT
        : UNKNOWN
      : (MESSAGES[error] ?? 'The app asks to be answered at an address that it did not register.')
  return {
    code: error,
    message,
    detail: `${error_description}${named ? `: ${named}` : ''}`,
    ...(isDocument && { fix: 'Nothing was allowed. Whoever publishes the app has to put it right; then start again from the app.' }),
    ...(error === 'invalid_request_uri' && { fix: FROM_THE_APP }),
  }
}

function demandSession(session: Session | undefined): Session {
  if (!session) throw new Failure('not_signed_in')
  return session
}

async function decide(parts: Parts, entered: Entered): Promise<Response> {
  const { request, incoming } = entered
  const session = demandSession(entered.session)
  const form = await readForm(request)
  const visit = { request, incoming, session, secret: form.get('request') ?? '' }
  try {
    return (await lookAgain(parts, visit, form)) ?? (await answer(parts, visit, form))
  } catch (error) {
    if (isFailure(error, 'not_found')) return problem(parts, request, GONE)
    // The page itself says what the house's rules are now.
    if (isFailure(error, 'client_waits') || isFailure(error, 'client_not_listed')) return consent(parts, visit)
    if (!isFailure(error, 'invalid_form')) throw error
    return consent(parts, visit, entry(form, error.fields))
  }
}

const entry = (form: URLSearchParams, errors: Record<string, string>): Posted => ({
  toolIds: new Set(form.getAll('tool_id')),
  replaces: new Set(form.getAll('replaces')),
  form: { values: valuesOf(form), errors },
})

function valuesOf(form: URLSearchParams): Record<string, string> {
  const values = ['device_name', 'expires'].map((name) => [name, form.get(name)] as const)
  return Object.fromEntries(values.filter((pair): pair is [string, string] => pair[1] !== null))
}

/** Nothing is decided: the same request with another profile, with what only reads, or as it is now. */
async function lookAgain(parts: Parts, visit: Visit, form: URLSearchParams): Promise<Response | undefined> {
  const { oauth } = parts
  const profileName = form.get('profile')
  const decision = form.get('decision')
  if (profileName !== null && decision === null) {
    await oauth.choose(visit.secret, visit.session, profileName)
    return consent(parts, visit, { form: { values: valuesOf(form) } })
  }
  if (decision === 'again') return consent(parts, visit, { form: { values: valuesOf(form) } })
  if (decision !== 'read-only') return undefined
  const pending = await oauth.pending(visit.secret, visit.session)
  return consent(parts, visit, { toolIds: readOnly(pending), form: { values: valuesOf(form) } })
}

const readOnly = (pending: Pending | undefined): Set<string> =>
  new Set(pending?.tools.filter(({ kind }) => kind === 'read').map(({ toolId }) => toolId))

async function answer(parts: Parts, { request, incoming, session, secret }: Visit, form: URLSearchParams): Promise<Response> {
  const said = {
    decision: form.get('decision') ?? '',
    profileId: form.get('profile_id') ?? undefined,
    toolIds: form.getAll('tool_id'),
    expires: form.get('expires') ?? '',
    deviceName: form.get('device_name') ?? '',
    replaces: form.getAll('replaces'),
  }
  const decided = await parts.oauth.decide(secret, session, said, { address: incoming.address, origin: incoming.origin })
  if (decided.kind === 'away') return away(decided.to)
  return parts.reply.to(request, `/device/done${decided.allowed ? '' : '?denied'}`)
}

/** Makes the profile whose address the app was given, then asks again. The name is the request's, not the form's. */
async function makeProfile(parts: Parts, { request, incoming, session: known }: Entered): Promise<Response> {
  const session = demandSession(known)
  const form = await readForm(request)
  const secret = form.get('request') ?? ''
  const pending = await parts.oauth.pending(secret, session)
  if (!pending) return problem(parts, request, GONE)
  if (!pending.profile && pending.profileName !== undefined)
    await parts.profiles.create(session.user, { title: form.get('title') || pending.profileName, name: pending.profileName })
  // A device has no address that leads back to its request.
  if (pending.answer.kind === 'device') return consent(parts, { request, incoming, session, secret })
  return parts.reply.to(request, pending.returnPath)
}

/** An administrator admits the app, and is then asked for themselves. */
async function approve(parts: Parts, { request, incoming, session: known }: Entered): Promise<Response> {
  const session = demandSession(known)
  const secret = (await readForm(request)).get('request') ?? ''
  try {
    await parts.oauth.approve(secret, session)
  } catch (error) {
    if (isFailure(error, 'not_found')) return problem(parts, request, GONE)
    throw error
  }
  return consent(parts, { request, incoming, session, secret })
}
