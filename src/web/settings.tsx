import { z } from 'zod'
import { isHtmx } from '@/http/reply.ts'
import { MINIMUM_PASSWORD_LENGTH, type Session, type Users } from '@/users'
import type { FormState } from '@views/parts/field.tsx'
import { type BrowserSession, SessionsCard, SettingsPage } from '@views/settings.tsx'
import { browserOf } from './browsers.ts'
import { Field, REFUSED, refused } from './forms.ts'
import type { Clock, Page } from './needs.ts'

type Deps = Page & { users: Pick<Users, 'changePassword' | 'sessions'>; clock: Clock }

const PasswordForm = z.object({ current_password: Field, new_password: Field })

export const settingsRoutes = ({ doors, reply, shell, users, clock }: Deps) => {
  const sessionsOf = async ({ user, hash }: Session): Promise<BrowserSession[]> =>
    (await users.sessions.list(user.id))
      .filter((row) => row.expiresAt > clock())
      .sort((a, b) => Number(b.hash === hash) - Number(a.hash === hash) || b.lastSeenAt - a.lastSeenAt)
      .map((row) => ({
        current: row.hash === hash,
        browser: browserOf(row.userAgent),
        address: row.address,
        createdAt: row.createdAt,
        lastSeenAt: row.lastSeenAt,
      }))
  const page = async (request: Request, session: Session, passwordForm?: FormState) => (
    <SettingsPage
      shell={shell.full(request, session.user)}
      sessions={await sessionsOf(session)}
      passwordLengthMin={MINIMUM_PASSWORD_LENGTH}
      passwordForm={passwordForm}
    />
  )
  return doors
    .member('/settings')
    .get('/', async ({ request, session }) => reply.page(await page(request, session), { cookies: shell.said(request) }))
    .post(
      '/password',
      async ({ request, incoming, session, user, body }) => {
        try {
          await users.changePassword(user, session.hash, body.current_password, body.new_password, incoming.address)
          const text = 'Password changed. Other browsers are signed out.'
          return reply.to(request, '/settings', { cookies: [reply.notice(incoming, { tone: 'good', text })] })
        } catch (error) {
          return reply.page(await page(request, session, refused(error)), { status: REFUSED })
        }
      },
      { body: PasswordForm },
    )
    .post('/sessions/end-others', async ({ request, incoming, session, user }) => {
      await users.sessions.endOthers(user.id, session.hash)
      const cookies = isHtmx(request) ? [] : [reply.notice(incoming, { tone: 'good', text: 'Other browsers are signed out.' })]
      return reply.piece(request, <SessionsCard sessions={await sessionsOf(session)} />, '/settings', { cookies })
    })
}
