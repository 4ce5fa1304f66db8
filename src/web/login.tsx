import { z } from 'zod'
import { Failure } from '@/lib/failure.ts'
import type { Users } from '@/users'
import { LoginPage } from '@views/login.tsx'
import { Field } from './forms.ts'
import type { Page, Profiles } from './needs.ts'
import { safeNext } from './next.ts'
import { fromOf, signedIn, signedOut } from './sign-in.ts'

type Deps = Page & { users: Pick<Users, 'login' | 'sessions'>; profiles: Pick<Profiles, 'ensureFirst'> }

const Form = z.object({ username: Field, password: Field, next: Field.optional() })

export const loginRoutes = ({ doors, reply, shell, users, profiles }: Deps) =>
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
          if (session) await users.sessions.end(session.hash)
          await profiles.ensureFirst(login.user)
          return reply.to(request, next, { cookies: signedIn(incoming, login) })
        } catch (error) {
          if (!(error instanceof Failure) || !['wrong_login', 'slow_down'].includes(error.code)) throw error
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
      if (session) await users.sessions.end(session.hash)
      const next = body?.next === undefined ? '' : `?next=${encodeURIComponent(safeNext(body.next))}`
      return reply.to(request, `/login${next}`, { cookies: signedOut(incoming) })
    },
    { body: z.object({ next: Field.optional() }).nullish() },
  )
