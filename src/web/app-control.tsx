/** What a user changes of one connected app, and of all of them at once. */
import { z } from 'zod'
import { isHtmx } from '@/http/reply.ts'
import { type Clock, DAY_MS } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import { GrantId, ProfileId, ToolId } from '@/lib/ids.ts'
import { EXTENDED_MS_MAX, type Oauth } from '@/oauth'
import { AppPermissionCounts, AppPermissions } from '@views/app-permissions.tsx'
import { type AppPageDeps, appPage, permissionsOf, type Posted } from './app-page.tsx'
import { type Deed, turnMany } from './control.ts'
import { Field, Permission, REFUSED, Repeated, refused, repeated, textsOf } from './forms.ts'
import type { Control, Grants, Page, Seen } from './needs.ts'

type Deps = Page & AppPageDeps & { grants: Grants; control: Control; oauth: Pick<Oauth, 'extend'>; clock: Clock }

const One = { params: z.object({ id: GrantId }) }
/** `read allow`: all of one kind. */
const Group = z.string().transform((text, context) => {
  const [kind, permission] = text.split(' ')
  const read = z
    .object({ kind: z.enum(['read', 'write', 'destructive', 'beside']), permission: Permission })
    .safeParse({ kind, permission })
  if (read.success) return read.data
  context.addIssue('Not a kind and a permission')
  return z.NEVER
})
// A field for each tool; which there are depends on the profile.
const Permissions = z.looseObject({ group: Group.optional(), later_tools: z.enum(['out', 'in']).optional(), one: Field.optional() })
const Expiry = z.object({ expires: z.enum(['day', 'week', 'month', 'quarter', 'never', 'date']), date: Field.default('') })
const Switched = z.object({ profile: ProfileId, newly: z.enum(['usual', 'nothing']).default('usual') })
const Scheduled = z.object({ profile: ProfileId, day: Repeated(z.coerce.number().int().min(0).max(6)), time: Field, time_zone: Field })

const NEW_DAYS = { day: 1, week: 7, month: 30, quarter: 90 } as const

export const appControlRoutes = (deps: Deps) => {
  const { doors, reply, grants, control } = deps
  const said = ({ request, incoming }: Seen, id: GrantId, text: string) =>
    reply.to(request, `/apps/${id}`, { cookies: [reply.notice(incoming, { tone: 'good', text })] })
  const again = async ({ request, user }: Seen, id: GrantId, posted: Posted) =>
    reply.page(await appPage(deps, request, user, await grants.demand(user.id, id), posted), { status: REFUSED })
  const siblings = async (seen: Seen, id: GrantId, deed: Deed) => {
    const { clientId } = await grants.demand(seen.user.id, id)
    return turnMany(deps, seen, { subject: { kind: 'client', id: clientId }, whose: 'own', back: `/apps/${id}` }, deed)
  }
  const all = (seen: Seen, deed: Deed) => turnMany(deps, seen, { subject: { kind: 'everything' }, whose: 'own', back: '/apps' }, deed)
  return doors
    .member('/apps')
    .post('/:id/tools', ({ params, body, ...seen }) => permit(deps, seen, params.id, body), { ...One, body: Permissions })
    .post(
      '/:id/expiry',
      async ({ params: { id }, body, ...seen }) => {
        try {
          await deps.oauth.extend(seen.user, id, { expiresAt: endOf(body, deps.clock()) })
          return said(seen, id, 'Saved.')
        } catch (error) {
          return again(seen, id, { expiry: refused(error, body) })
        }
      },
      { ...One, body: Expiry },
    )
    .post(
      '/:id/switch',
      async ({ params: { id }, body, ...seen }) => {
        await control.switchProfile(seen.user, id, body.profile, body.newly)
        return said(seen, id, 'Switched. The app finds its other tools with its next request.')
      },
      { ...One, body: Switched },
    )
    .post('/:id/switches', ({ params, body, ...seen }) => schedule(deps, seen, params.id, body, { said, again }), {
      ...One,
      body: Scheduled,
    })
    .post(
      '/:id/switches/:switchId/remove',
      async ({ params: { id, switchId }, ...seen }) => {
        await control.removeSwitch(seen.user, id, switchId)
        return said(seen, id, 'Removed.')
      },
      { params: z.object({ id: GrantId, switchId: Field }) },
    )
    .post('/:id/client/pause', ({ params, ...seen }) => siblings(seen, params.id, 'pause'), One)
    .post('/:id/client/resume', ({ params, ...seen }) => siblings(seen, params.id, 'resume'), One)
    .post('/:id/client/revoke', ({ params, ...seen }) => siblings(seen, params.id, 'revoke'), One)
    .post('/pause', (seen) => all(seen, 'pause'))
    .post('/resume', (seen) => all(seen, 'resume'))
    .post('/revoke', (seen) => all(seen, 'revoke'))
}

async function permit(deps: Deps, { request, incoming, user }: Seen, id: GrantId, body: z.infer<typeof Permissions>) {
  const { reply, grants, control } = deps
  const { group, later_tools: laterTools, one, ...fields } = body
  const tools = new Map<ToolId, z.infer<typeof Permission>>()
  for (const [name, value] of Object.entries(textsOf(fields))) {
    const toolId = ToolId.safeParse(name.replace(/^permission-/, ''))
    const permission = Permission.safeParse(value)
    if (!toolId.success || !permission.success) throw new Failure('bad_request')
    tools.set(toolId.data, permission.data)
  }
  await control.permit(user, id, { tools, ...(group && { group }), ...(laterTools && { laterTools }) })
  const cookies = [reply.notice(incoming, { tone: 'good', text: 'Saved. It holds for the next call.' })]
  if (!isHtmx(request)) return reply.to(request, `/apps/${id}`, { cookies })
  const permissions = await permissionsOf(deps, await grants.demand(user.id, id))
  const piece = one === 'on' ? <AppPermissionCounts tools={permissions.tools} /> : <AppPermissions {...permissions} />
  return reply.piece(request, piece, `/apps/${id}`)
}

/** @throws Failure `invalid_form` for a date that is none, or is past */
function endOf({ expires, date }: z.infer<typeof Expiry>, now: number): number | null {
  if (expires === 'never') return null
  if (expires !== 'date') return now + NEW_DAYS[expires] * DAY_MS
  const text = date.trim()
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  // Of the thirty-first of a month that has none a date is made that was not meant.
  const isDay = !Number.isNaN(at) && new Date(at).toISOString().startsWith(text)
  if (!isDay) throw new Failure('invalid_form', { fields: { date: 'Enter it as year-month-day, like 2030-12-31.' } })
  if (at + DAY_MS <= now) throw new Failure('invalid_form', { fields: { date: 'This day is over.' } })
  if (at + DAY_MS > now + EXTENDED_MS_MAX)
    throw new Failure('invalid_form', { fields: { date: 'Up to ten years from now, or until it is revoked.' } })
  return at + DAY_MS
}

type Answers = {
  said(seen: Seen, id: GrantId, text: string): Response
  again(seen: Seen, id: GrantId, posted: Posted): Promise<Response>
}

async function schedule({ control }: Deps, seen: Seen, id: GrantId, body: z.infer<typeof Scheduled>, { said, again }: Answers) {
  const days = repeated(body.day).reduce((mask, day) => mask | (1 << day), 0)
  const [, hours = '', minutes = ''] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(body.time.trim()) ?? []
  const minuteOfDay = hours === '' ? -1 : Number(hours) * 60 + Number(minutes)
  try {
    await control.addSwitch(seen.user, id, { profileId: body.profile, days, minuteOfDay, timeZone: body.time_zone })
    return said(seen, id, 'Added. It is carried out within a minute of its time.')
  } catch (error) {
    const values = { profile: body.profile, time: body.time, time_zone: body.time_zone }
    return again(seen, id, { schedule: refused(error, values), days })
  }
}
