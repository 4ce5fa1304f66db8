import { z } from 'zod'
import type { Approvals } from '@/grants'
import { randomText } from '@/lib/crypto.ts'
import { isHtmx } from '@/http/reply.ts'
import type { Notices } from '@/notices'
import { MINIMUM_PASSWORD_LENGTH, type Session, type Users } from '@/users'
import type { RefusedNotice } from '@views/notices.tsx'
import type { FormState } from '@views/parts/field.tsx'
import { type BrowserSession, SessionsCard, SettingsPage } from '@views/settings.tsx'
import { browserOf } from './browsers.ts'
import { Field, REFUSED, refused } from './forms.ts'
import type { Clock, Mounted, Page } from './needs.ts'

export type SettingsDeps = Pick<Page, 'shell'> &
  Mounted & {
    users: Pick<Users, 'sessions'>
    notices: Pick<Notices, 'list' | 'pushKey'>
    approvals: Pick<Approvals, 'inApp'>
    clock: Clock
  }
type Deps = Page & SettingsDeps & { users: Pick<Users, 'changePassword' | 'sessions'> }
/** Forms that were refused. */
type Forms = { password?: FormState; notice?: RefusedNotice }

const PasswordForm = z.object({ current_password: Field, new_password: Field })

const sessionsOf = async ({ users, clock }: Pick<SettingsDeps, 'users' | 'clock'>, { user, hash }: Session): Promise<BrowserSession[]> =>
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

export async function settingsPage(deps: SettingsDeps, request: Request, session: Session, { password, notice }: Forms = {}) {
  const { shell, notices, approvals, addresses } = deps
  const { id } = session.user
  const push = { key: notices.pushKey, worker: `${addresses.base}/settings/notices/worker.js` }
  return (
    <SettingsPage
      shell={shell.full(request, session.user)}
      sessions={await sessionsOf(deps, session)}
      passwordLengthMin={MINIMUM_PASSWORD_LENGTH}
      passwordForm={password}
      notices={{ ways: await notices.list(id), push, topic: `toolpass-${randomText(12)}`, refused: notice }}
      inApp={await approvals.inApp(id)}
    />
  )
}

export const settingsRoutes = (deps: Deps) => {
  const { doors, reply, shell, users } = deps
  return doors
    .member('/settings')
    .get('/', async ({ request, session }) => reply.page(await settingsPage(deps, request, session), { cookies: shell.said(request) }))
    .post(
      '/password',
      async ({ request, incoming, session, user, body }) => {
        try {
          await users.changePassword(user, session.hash, body.current_password, body.new_password, incoming.address)
          const text = 'Password changed. Other browsers are signed out.'
          return reply.to(request, '/settings', { cookies: [reply.notice(incoming, { tone: 'good', text })] })
        } catch (error) {
          return reply.page(await settingsPage(deps, request, session, { password: refused(error) }), { status: REFUSED })
        }
      },
      { body: PasswordForm },
    )
    .post('/sessions/end-others', async ({ request, incoming, session }) => {
      await users.sessions.keepAlone(session, incoming.address)
      const cookies = isHtmx(request) ? [] : [reply.notice(incoming, { tone: 'good', text: 'Other browsers are signed out.' })]
      return reply.piece(request, <SessionsCard sessions={await sessionsOf(deps, session)} />, '/settings', { cookies })
    })
}
