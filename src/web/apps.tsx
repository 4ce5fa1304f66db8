import { z } from 'zod'
import { isHtmx } from '@/http/reply.ts'
import { GrantId } from '@/lib/ids.ts'
import { AppRow, AppsPage } from '@views/apps.tsx'
import { appOf, isScript, withClients } from './app-facts.ts'
import { type AppPageDeps, appPage } from './app-page.tsx'
import { Field, REFUSED, refused } from './forms.ts'
import type { Grants, Page } from './needs.ts'

type Deps = Page & AppPageDeps & { grants: Grants }

const One = { params: z.object({ id: GrantId }) }

export const appsRoutes = (deps: Deps) => {
  const { doors, reply, shell, grants } = deps
  return doors
    .member('/apps')
    .get('/', async ({ request, user }) => {
      // Tokens of scripts have a page of their own.
      const asked = await withClients(await grants.listForUser(user.id), deps, (client) => !isScript(client))
      const apps = await Promise.all(asked.map(({ grant, client }) => appOf(grant, deps, client)))
      return reply.page(<AppsPage shell={shell.full(request, user)} apps={apps} />, { cookies: shell.said(request) })
    })
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
          const form = refused(error, body)
          return reply.page(await appPage(deps, request, user, await grants.demand(user.id, id), form), { status: REFUSED })
        }
      },
      { ...One, body: z.object({ device_name: Field }) },
    )
    .post(
      '/:id/revoke',
      async ({ request, incoming, user, params: { id }, body }) => {
        await grants.revoke(user, id)
        const app = await appOf(await grants.demand(user.id, id), deps)
        const isList = body?.from === 'list'
        if (isList && isHtmx(request)) return reply.piece(request, <AppRow app={app} />, '/apps')
        const cookies = [reply.notice(incoming, { tone: 'good', text: `${app.client.slice(0, 60)} is revoked.` })]
        return reply.to(request, isList ? '/apps' : `/apps/${id}`, { cookies })
      },
      { ...One, body: z.object({ from: Field.optional() }).nullish() },
    )
}
