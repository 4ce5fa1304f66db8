import { z } from 'zod'
import { isHtmx } from '@/http/reply.ts'
import { GrantId } from '@/lib/ids.ts'
import type { User } from '@/users'
import { AppRow, type AppsFilter, type AppSummary, AppsPage } from '@views/apps.tsx'
import { appOf, isAlive, isScript, withClients } from './app-facts.ts'
import { pausedWithOf } from './pauses.ts'
import { type AppPageDeps, appPage } from './app-page.tsx'
import { Field, REFUSED, refused } from './forms.ts'
import type { Control, Grants, Page, Seen } from './needs.ts'

type Deps = Page & AppPageDeps & { grants: Grants; control: Pick<Control, 'paused'> }

const One = { params: z.object({ id: GrantId }) }
// A filter that makes no sense is none.
const Query = z.object({ status: z.enum(['active', 'paused', 'ended']).optional().catch(undefined) })
/** From the list, its row is what changes. */
const From = { ...One, body: z.object({ from: Field.optional() }).nullish() }

const statusOf = ({ status }: AppSummary): AppsFilter => (status === 'active' || status === 'paused' ? status : 'ended')

export const appsRoutes = (deps: Deps) => {
  const { doors, reply, shell, grants } = deps
  return doors
    .member('/apps')
    .get(
      '/',
      async ({ request, user, query }) => reply.page(await list(deps, request, user, query.status), { cookies: shell.said(request) }),
      {
        query: Query,
      },
    )
    .get(
      '/:id',
      async ({ request, user, params: { id } }) => {
        const page = await appPage(deps, request, user, await grants.demand(user.id, id))
        return reply.page(page, { cookies: shell.said(request) })
      },
      One,
    )
    .post(
      '/:id',
      async ({ request, incoming, user, params: { id }, body }) => {
        try {
          await grants.rename(user, id, body.device_name.trim())
          return reply.to(request, `/apps/${id}`, { cookies: [reply.notice(incoming, { tone: 'good', text: 'Saved.' })] })
        } catch (error) {
          const device = refused(error, body)
          return reply.page(await appPage(deps, request, user, await grants.demand(user.id, id), { device }), { status: REFUSED })
        }
      },
      { ...One, body: z.object({ device_name: Field }) },
    )
    .post('/:id/revoke', ({ params, body, ...seen }) => turn(deps, seen, params.id, body?.from, 'revoke'), From)
    .post('/:id/pause', ({ params, body, ...seen }) => turn(deps, seen, params.id, body?.from, 'pause'), From)
    .post('/:id/resume', ({ params, body, ...seen }) => turn(deps, seen, params.id, body?.from, 'resume'), From)
}

async function list(deps: Deps, request: Request, user: User, filter: AppsFilter | undefined) {
  const { shell, grants, control, clock } = deps
  const all = await grants.listForUser(user.id)
  // Tokens of scripts have a page of their own.
  const asked = await withClients(all, deps, (client) => !isScript(client))
  const apps = await Promise.all(asked.map(({ grant, client }) => appOf(grant, deps, client)))
  const count = (status: AppsFilter) => apps.filter((app) => statusOf(app) === status).length
  const paused = control.paused(user, { kind: 'everything' }, 'own')
  return (
    <AppsPage
      shell={shell.full(request, user)}
      apps={filter === undefined ? apps : apps.filter((app) => statusOf(app) === filter)}
      filter={filter}
      counts={{ active: count('active'), paused: count('paused'), ended: count('ended') }}
      all={{ apps: all.filter((grant) => isAlive(grant, clock())).length, paused: paused && pausedWithOf(paused) }}
    />
  )
}

const DONE = { revoke: 'is revoked.', pause: 'is paused. It is refused until you resume it.', resume: 'goes on.' }

async function turn(deps: Deps, { request, incoming, user }: Seen, id: GrantId, from: string | undefined, deed: keyof typeof DONE) {
  const { reply, grants } = deps
  await grants[deed](user, id)
  const app = await appOf(await grants.demand(user.id, id), deps)
  const isList = from === 'list'
  if (isList && isHtmx(request)) return reply.piece(request, <AppRow app={app} />, '/apps')
  // What is paused with something else as well does not go on by this alone.
  const says = deed === 'resume' && app.status === 'paused' ? 'is resumed, and still paused otherwise.' : DONE[deed]
  const cookies = [reply.notice(incoming, { tone: 'good', text: `${app.client.slice(0, 60)} ${says}` })]
  return reply.to(request, isList ? '/apps' : `/apps/${id}`, { cookies })
}
