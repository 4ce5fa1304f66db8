/** Signing in to the server of a connection: out by the user's click, back to where they were. */
import { z } from 'zod'
import { callbackAddress, clientDocument, type Connection, may } from '@/connections'
import type { Incoming } from '@/http/incoming.ts'
import { Failure, isFailure } from '@/lib/failure.ts'
import { ConnectionId } from '@/lib/ids.ts'
import type { Session, User } from '@/users'
import { BackPage, GoingPage, PastePage } from '@views/upstream-sign-in.tsx'
import { Field } from './forms.ts'
import type { Mounted, Page } from './needs.ts'
import type { Connections as AllConnections } from '@/connections'

type Deps = Page &
  Mounted & {
    connections: Pick<AllConnections, 'demand' | 'signIn'>
    gateway: { isSignInLinkFor(text: string, userId: User['id'], connectionId: ConnectionId): boolean }
  }
type Seen = { request: Request; incoming: Incoming; session: Session; user: User }

const One = { params: z.object({ id: ConnectionId }) }
/** Marks the way back of a window that was opened for the sign-in alone. */
const POPUP = '#popup'

export const upstreamSignInRoutes = (deps: Deps) => {
  const { doors, reply, connections, gateway } = deps
  const { signIn } = connections
  const said = (seen: Seen, text: string, path: string, tone: 'good' | 'bad' = 'good') =>
    reply.to(seen.request, path, { cookies: [reply.notice(seen.incoming, { tone, text })] })
  return (
    doors
      .member('/connections')
      // Where an app sent its user. Whoever else follows the link would sign in for somebody else's call: they are told so instead.
      .get(
        '/:id/sign-in',
        async ({ params: { id }, query, ...seen }) => {
          if (!gateway.isSignInLinkFor(query.for, seen.user.id, id))
            throw new Failure('not_found', {
              message: 'This link was made for another user, or has expired. Make the call in your app again.',
            })
          const { name } = await connections.demand(seen.user, id)
          return said(seen, `An app of yours needs ${name}. Sign in here; then it can go on.`, `/connections/${id}`)
        },
        { ...One, query: z.object({ for: Field.default('') }) },
      )
      .get('/callback', (seen) => comeBack(deps, seen, new URL(seen.request.url).searchParams))
      .get('/callback/:id', ({ params: _, ...seen }) => comeBack(deps, seen, new URL(seen.request.url).searchParams), One)
      .post('/:id/sign-in', ({ params: { id }, body, ...seen }) => go(deps, seen, id, body?.popup === '1'), {
        ...One,
        body: z.object({ popup: Field.optional() }).nullish(),
      })
      .post(
        '/:id/sign-in/paste',
        ({ params: { id }, body, ...seen }) => {
          const address = URL.parse(body.address.trim())
          const answer = address?.searchParams
          if (!address || !answer?.has('state'))
            return said(seen, 'That is not the address of the page in the end. Sign in once more.', `/connections/${id}`, 'bad')
          return comeBack(deps, seen, answer, address.origin + address.pathname)
        },
        { ...One, body: z.object({ address: Field }) },
      )
      .post(
        '/:id/sign-in/client',
        async ({ params: { id }, body, ...seen }) => {
          const asked = { clientId: body.client_id, clientSecret: body.client_secret, issuer: '' }
          try {
            await signIn.setClient(seen.user, id, asked)
          } catch (error) {
            if (!isFailure(error, 'invalid_form')) throw error
            return said(seen, Object.values(error.fields).join(' '), `/connections/${id}`, 'bad')
          }
          return said(seen, 'Client saved. Sign in now.', `/connections/${id}`)
        },
        { ...One, body: z.object({ client_id: Field, client_secret: Field.default('') }) },
      )
      .post(
        '/:id/sign-in/options',
        async ({ params: { id }, body, ...seen }) => {
          const scopes = body.scopes.split(/\s+/).filter(Boolean)
          await signIn.configure(seen.user, id, { scopes, grant: body.grant, returnBy: body.return_by })
          return said(seen, 'Saved. It holds at the next sign-in.', `/connections/${id}`)
        },
        {
          ...One,
          body: z.object({ scopes: Field, grant: z.enum(['code', 'client_credentials']), return_by: z.enum(['callback', 'paste']) }),
        },
      )
      .post(
        '/:id/sign-out',
        async ({ params: { id }, ...seen }) => {
          await signIn.disconnect(seen.user, id)
          return said(seen, 'Disconnected. What Toolpass held is destroyed.', `/connections/${id}`)
        },
        One,
      )
  )
}

/** Our own client metadata document, for upstreams that take one: public, and the same for everybody. */
export const ownDocumentRoutes = ({ doors, addresses }: Pick<Deps, 'doors' | 'addresses'>) =>
  doors.open('/oauth').get('/client.json', ({ incoming }) =>
    Response.json(clientDocument({ origin: incoming.origin, base: addresses.base }), {
      headers: { 'cache-control': 'public, max-age=3600', 'x-content-type-options': 'nosniff' },
    }),
  )

async function go({ reply, shell, connections, addresses }: Deps, seen: Seen, id: ConnectionId, isPopup: boolean): Promise<Response> {
  const { name } = await connections.demand(seen.user, id)
  const page = `/connections/${id}`
  try {
    const home = { origin: seen.incoming.origin, base: addresses.base }
    const begun = await connections.signIn.begin(seen.session, id, { home, returnTo: isPopup ? page + POPUP : page })
    if (begun.kind === 'done') return back({ reply, shell }, seen, page, isPopup, true, 'Signed in.')
    if (begun.kind === 'needs-client')
      throw new Failure('upstream_unauthorized', {
        message:
          'Its authorization server does not let Toolpass register itself. Register a client there and enter it under “How it signs in”.',
      })
    const { to } = begun
    const { host } = new URL(to)
    // A page and not a redirect: Chromium holds the form's `form-action` against the redirect that follows it.
    if (begun.pasted) return reply.page(<PastePage shell={shell.bare(seen.request)} connectionId={id} name={name} to={to} host={host} />)
    return reply.page(<GoingPage shell={shell.bare(seen.request)} name={name} to={to} host={host} />)
  } catch (error) {
    if (!isFailure(error)) throw error
    return back({ reply, shell }, seen, page, isPopup, false, error.message)
  }
}

function back(
  { reply, shell }: Pick<Deps, 'reply' | 'shell'>,
  seen: Seen,
  path: string,
  isPopup: boolean,
  ok: boolean,
  text: string,
): Response {
  if (isPopup) return reply.page(<BackPage shell={shell.bare(seen.request)} to={path} ok={ok} text={text} />)
  return reply.to(seen.request, path, { cookies: [reply.notice(seen.incoming, { tone: ok ? 'good' : 'bad', text })] })
}

/** @param cameTo the address that the browser came back to, as it was registered over there */
async function comeBack(deps: Deps, seen: Seen, answer: URLSearchParams, cameTo = cameToOf(deps, seen)): Promise<Response> {
  try {
    const { returnTo } = await deps.connections.signIn.finish(seen.session, answer, cameTo)
    return back(deps, seen, returnTo.replace(POPUP, ''), returnTo.endsWith(POPUP), true, 'Signed in.')
  } catch (error) {
    if (!isFailure(error)) throw error
    return back(deps, seen, '/connections', false, false, error.message)
  }
}

const cameToOf = ({ addresses }: Deps, { request, incoming }: Seen) => incoming.origin + addresses.base + new URL(request.url).pathname

/** What the page of a connection shows of it; undefined where there is nothing to sign in to. */
export async function signInOf(
  { connections, addresses }: Pick<Deps, 'connections' | 'addresses'>,
  user: User,
  incoming: Incoming,
  connection: Connection,
) {
  const { signIn, change: mayChange } = may(user, connection)
  if (!signIn) return undefined
  const { id } = connection
  const found = await connections.signIn.stateOf(user, id)
  if (found.state === 'not-needed') return undefined
  const { state, problem, expiresAt, scopes = [], issuer, client, options, isRenewed } = found
  return {
    ...{ connectionId: id, state, problem, expiresAt, scopes, client, mayChange, options, isRenewed },
    issuer: issuer && (URL.parse(issuer)?.host ?? issuer),
    callback: callbackAddress({ origin: incoming.origin, base: addresses.base }, id),
  }
}
