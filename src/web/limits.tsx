/** How much may be taken of what: of one's own apps and connections, and by an administrator, of users. */
import { z } from 'zod'
import type { Limit, Limits, LimitSubject } from '@/grants'
import { ConnectionId, GrantId, UserId } from '@/lib/ids.ts'
import type { User, Users } from '@/users'
import type { Connections as AllConnections } from '@/connections'
import { LimitsPage, type LimitsProps } from '@views/limits.tsx'
import { type AppDeps, appOf } from './app-facts.ts'
import { Field, REFUSED, refused } from './forms.ts'
import type { Grant, Grants, Page, Seen } from './needs.ts'

export type LimitsDeps = { limits: Pick<Limits, 'seen'> }
type Deps = Page &
  AppDeps & {
    limits: Pick<Limits, 'seen' | 'set'>
    grants: Pick<Grants, 'demand'>
    connections: Pick<AllConnections, 'demandOwn'>
    users: Pick<Users, 'demand'>
  }
type About = { subject: LimitSubject; name: string; to: string; back: { href: string; label: string }; props: LimitsProps }

const Form = z.object({
  calls_per_minute: Field.default(''),
  calls_per_day: Field.default(''),
  calls_at_once: Field.default(''),
  result_kb: Field.default(''),
  call_seconds: Field.default(''),
})
type Form = z.infer<typeof Form>

const FIELDS: Record<string, keyof Form> = {
  callsPerMinute: 'calls_per_minute',
  callsPerDay: 'calls_per_day',
  callsAtOnce: 'calls_at_once',
  resultBytes: 'result_kb',
  callSeconds: 'call_seconds',
}
const BYTES_IN_KB = 1_000

/** What is no number is refused by the room, at its field, as a number out of bounds is. */
function limitIn(form: Form): Limit {
  const number = (text: string) => (text.trim() === '' ? null : Number(text.trim()))
  const kilobytes = number(form.result_kb)
  return {
    callsPerMinute: number(form.calls_per_minute),
    callsPerDay: number(form.calls_per_day),
    callsAtOnce: number(form.calls_at_once),
    resultBytes: kilobytes === null ? null : kilobytes * BYTES_IN_KB,
    callSeconds: number(form.call_seconds),
  }
}

/** The limits of an app, and those of its user and of what it uses, which hold for it too. */
export function limitsOfApp({ limits }: LimitsDeps, grant: Grant, used: ReadonlyMap<ConnectionId, string>): LimitsProps {
  const others = [[grant.userId, 'All your apps together'] as const, ...used]
  const also = others.flatMap(([id, what]) => {
    const seen = limits.seen(id)
    return seen ? [{ what, seen }] : []
  })
  return { kind: 'app', action: `/apps/${grant.id}/limits`, seen: limits.seen(grant.id), also }
}
export const limitsOfConnection = ({ limits }: LimitsDeps, id: ConnectionId): LimitsProps => ({
  kind: 'connection',
  action: `/connections/${id}/limits`,
  seen: limits.seen(id),
  also: [],
})

function createSaving({ reply, shell, limits }: Deps) {
  const page = ({ request, user }: Seen, { name, back, props }: About) => (
    <LimitsPage shell={shell.full(request, user)} name={name} back={back} limits={props} />
  )
  const save = async (seen: Seen, about: About, body: Form) => {
    try {
      await limits.set(seen.user, about.subject, about.name, limitIn(body))
    } catch (error) {
      const { errors = {} } = refused(error)
      const named = Object.fromEntries(Object.entries(errors).map(([part, says]) => [FIELDS[part] ?? part, says]))
      const props = { ...about.props, form: { values: body, errors: named } }
      return reply.page(page(seen, { ...about, props }), { status: REFUSED })
    }
    return reply.to(seen.request, about.to, { cookies: [reply.notice(seen.incoming, { tone: 'good', text: 'Limits saved.' })] })
  }
  return { page, save }
}

const One = <T extends z.ZodType>(id: T) => ({ params: z.object({ id }) })

export const limitsRoutes = (deps: Deps) => {
  const { doors, grants, connections } = deps
  const { save } = createSaving(deps)
  const ofApp = async (user: User, id: GrantId): Promise<About> => {
    const grant = await grants.demand(user.id, id)
    const { client } = await appOf(grant, deps)
    const to = `/apps/${id}`
    return {
      subject: { kind: 'grant', id },
      name: client,
      to,
      back: { href: to, label: client.slice(0, 60) },
      props: limitsOfApp(deps, grant, new Map()),
    }
  }
  const ofConnection = async (user: User, id: ConnectionId): Promise<About> => {
    const { name } = await connections.demandOwn(user, id)
    const to = `/connections/${id}`
    return {
      subject: { kind: 'connection', id },
      name,
      to,
      back: { href: to, label: name.slice(0, 60) },
      props: limitsOfConnection(deps, id),
    }
  }
  return [
    doors.member('/apps').post('/:id/limits', async ({ params: { id }, body, ...seen }) => save(seen, await ofApp(seen.user, id), body), {
      ...One(GrantId),
      body: Form,
    }),
    doors
      .member('/connections')
      .post('/:id/limits', async ({ params: { id }, body, ...seen }) => save(seen, await ofConnection(seen.user, id), body), {
        ...One(ConnectionId),
        body: Form,
      }),
  ]
}

export const userLimitsRoutes = (deps: Deps) => {
  const { doors, reply, shell, users, limits } = deps
  const { save, page } = createSaving(deps)
  const ofUser = async (id: UserId): Promise<About> => {
    const { username } = await users.demand(id)
    const action = `/admin/users/${id}/limits`
    const props: LimitsProps = { kind: 'user', action, seen: limits.seen(id), also: [] }
    return { subject: { kind: 'user', id }, name: username, to: action, back: { href: '/admin', label: 'Users' }, props }
  }
  return doors
    .admin('/admin')
    .get(
      '/users/:id/limits',
      async ({ params: { id }, ...seen }) => reply.page(page(seen, await ofUser(id)), { cookies: shell.said(seen.request) }),
      One(UserId),
    )
    .post('/users/:id/limits', async ({ params: { id }, body, ...seen }) => save(seen, await ofUser(id), body), {
      ...One(UserId),
      body: Form,
    })
}
