import { z } from 'zod'
import { Failure } from '@/lib/failure.ts'
import { UserId } from '@/lib/ids.ts'
import { MINIMUM_PASSWORD_LENGTH, type User, type Users } from '@/users'
import { AdminPage, type AdminPageProps, UserRow, type UserSummary } from '@views/admin.tsx'
import { isAlive } from './app-facts.ts'
import { pausedWithOf } from './pauses.ts'
import { Field, REFUSED, refused } from './forms.ts'
import { standingOf } from './control.ts'
import type { Clock, Control, Grants, Mounted, Page, Seen } from './needs.ts'

type Deps = Page &
  Mounted & {
    users: Pick<Users, 'list' | 'demand' | 'create' | 'disable' | 'enable' | 'newPasswordLink'>
    grants: Pick<Grants, 'listForUser'>
    control: Pick<Control, 'met' | 'paused'>
    clock: Clock
  }

/** How long a one-time link lives, as the users' room has it. */
const LINK_HOURS = 24

const One = { params: z.object({ id: UserId }) }
const NewUser = z.object({ username: Field, role: z.enum(['member', 'admin']), password: Field.default('') })

export const adminRoutes = (deps: Deps) => {
  const { doors, reply, shell, users, addresses } = deps
  const page = async ({ request, user }: Seen, more: Pick<AdminPageProps, 'link' | 'form'> = {}) => {
    const everybody = await Promise.all((await users.list()).map((each) => userOf(deps, each, user)))
    const control = await standingOf(deps, user, { kind: 'everything' }, 'everyone')
    const given = { users: everybody, control, passwordLengthMin: MINIMUM_PASSWORD_LENGTH, ...more }
    return <AdminPage shell={shell.full(request, user)} {...given} />
  }
  /** Answers with the page itself, not a redirect: the link is in no address, cookie or log, and shown this once. */
  const withLink = async (seen: Seen, { id, username }: User) => {
    const secret = await users.newPasswordLink(seen.user, id)
    const url = `${seen.incoming.origin}${addresses.base}/reset?token=${secret}`
    return reply.page(await page(seen, { link: { username, url, hours: LINK_HOURS } }))
  }
  const row = async ({ request, user }: Seen, changed: User) =>
    reply.piece(request, <UserRow user={await userOf(deps, changed, user)} />, '/admin')
  return doors
    .admin('/admin')
    .get('/', async (seen) => reply.page(await page(seen), { cookies: shell.said(seen.request) }))
    .post(
      '/users',
      async ({ body: { username, role, password }, ...seen }) => {
        try {
          const created = await users.create(seen.user, { username, role, ...(password === '' ? {} : { password }) })
          if (password === '') return await withLink(seen, created)
          const cookies = [reply.notice(seen.incoming, { tone: 'good', text: `${created.username} can sign in now.` })]
          return reply.to(seen.request, '/admin', { cookies })
        } catch (error) {
          return reply.page(await page(seen, { form: refused(error, { username, role }) }), { status: REFUSED })
        }
      },
      { body: NewUser },
    )
    .post(
      '/users/:id/disable',
      async ({ params: { id }, ...seen }) => {
        if (id === seen.user.id) throw new Failure('bad_request', { message: 'Nobody can disable themselves.' })
        return row(seen, await users.disable(seen.user, id))
      },
      One,
    )
    .post('/users/:id/enable', async ({ params: { id }, ...seen }) => row(seen, await users.enable(seen.user, id)), One)
    .post('/users/:id/reset', async ({ params: { id }, ...seen }) => withLink(seen, await users.demand(id)), One)
}

async function userOf({ grants, control, clock }: Deps, user: User, reader: User): Promise<UserSummary> {
  const granted = await grants.listForUser(user.id)
  const paused = control.paused(reader, { kind: 'user', id: user.id }, 'everyone')
  return {
    id: user.id,
    username: user.username,
    role: user.role,
    disabled: user.disabledAt !== null,
    createdAt: user.createdAt,
    lastSeenAt: user.lastSeenAt,
    self: user.id === reader.id,
    apps: granted.filter((grant) => isAlive(grant, clock())).length,
    paused: paused && pausedWithOf(paused),
  }
}
