import { z } from 'zod'
import type { Trace, TraceNote } from '@/audit'
import type { Clients } from '@/clients'
import type { Incoming } from '@/http/incoming.ts'
import { Failure } from '@/lib/failure.ts'
import type { Users } from '@/users'
import { LoginPage } from '@views/login.tsx'
import { Field } from './forms.ts'
import type { Page, Profiles } from './needs.ts'
import { safeNext } from './next.ts'
import { fromOf, signedIn, signedOut } from './sign-in.ts'

type Tracing = { trace: Pick<Trace, 'note'>; clients: Pick<Clients, 'find'> }
type Deps = Page & Tracing & { users: Pick<Users, 'login' | 'sessions'>; profiles: Pick<Profiles, 'ensureFirst'> }

const Form = z.object({ username: Field, password: Field, next: Field.optional() })

/** Signing in is a step of a client's way only when its request led here. */
async function noteSignIn(
  { trace, clients }: Tracing,
  incoming: Incoming,
  next: string,
  said: Pick<TraceNote, 'outcome' | 'reason' | 'userId'>,
) {
  const asking = /^\/oauth\/authorize\?(.*)$/s.exec(next)?.[1]
  if (asking === undefined && !/^\/device(\?|$)/.test(next)) return
  const identifier = new URLSearchParams(asking).get('client_id')
  const client = identifier === null ? undefined : await clients.find(identifier)
  const who = client && { clientId: client.id, clientName: client.name }
  trace.note({ step: 'sign-in', address: incoming.address, origin: incoming.origin, ...who, ...said })
}

export const loginRoutes = ({ doors, reply, shell, users, profiles, trace, clients }: Deps) =>
  doors
    .open('/login')
    .get(
      '/',
      ({ request, session, query }) => {
        const next = safeNext(query.next)
        if (session) return reply.to(request, next)
        return reply.page(<LoginPage shell={shell.bare(request)} next={next} />, { cookies: shell.said(request) })
      },
      { query: z.object({ next: z.string().optional().catch(undefined) }) },
    )
    .post(
      '/',
      async ({ request, incoming, session, body: { username, password, next: asked } }) => {
        const next = safeNext(asked)
        try {
          const login = await users.login(username, password, fromOf(request, incoming))
          if (session) await users.sessions.end(session, incoming.address)
          await profiles.ensureFirst(login.user)
          await noteSignIn({ trace, clients }, incoming, next, { outcome: 'ok', userId: login.user.id })
          return reply.to(request, next, { cookies: signedIn(incoming, login) })
        } catch (error) {
          if (!(error instanceof Failure) || !['wrong_login', 'slow_down'].includes(error.code)) throw error
          await noteSignIn({ trace, clients }, incoming, next, { outcome: 'refused', reason: error.code })
          const { status, retryAfterSeconds } = error
          const form = { values: { username }, errors: { form: error.message } }
          const page = <LoginPage shell={shell.bare(request)} next={next} slowedForSeconds={retryAfterSeconds} form={form} />
          return reply.page(page, { status, headers: retryAfterSeconds ? { 'retry-after': String(retryAfterSeconds) } : {} })
        }
      },
      { body: Form },
    )

/** Leaving works for those who are not signed in any more, too: the cookie goes in any case. */
export const logoutRoutes = ({ doors, reply, users }: Pick<Deps, 'doors' | 'reply'> & { users: Pick<Users, 'sessions'> }) =>
  doors.open('/logout').post(
    '/',
    async ({ request, incoming, session, body }) => {
      if (session) await users.sessions.end(session, incoming.address)
      const next = body?.next === undefined ? '' : `?next=${encodeURIComponent(safeNext(body.next))}`
      return reply.to(request, `/login${next}`, { cookies: signedOut(incoming) })
    },
    { body: z.object({ next: Field.optional() }).nullish() },
  )
