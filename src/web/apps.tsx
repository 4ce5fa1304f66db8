import { z } from 'zod'
import { isHtmx } from '@/http/reply.ts'
import { Failure } from '@/lib/failure.ts'
import { GrantId } from '@/lib/ids.ts'
import type { User } from '@/users'
import { AppPage, type AppTool } from '@views/app.tsx'
import { AppRow, AppsPage } from '@views/apps.tsx'
import type { FormState } from '@views/parts/field.tsx'
import { type AppDeps, appOf, isScript, redirectHostsOf, toolsOf, verificationOf, withClients } from './app-facts.ts'
import { callRowOf } from './call-rows.ts'
import { Field, REFUSED, refused } from './forms.ts'
import { inOrder, isEvery, wordsOf } from './offered.ts'
import type { Audit, Grant, Grants, Page } from './needs.ts'

type Deps = Page & AppDeps & { grants: Grants; audit: Pick<Audit, 'list'> }

const CALLS_SHOWN_MAX = 10
/** How far back the calls of each tool are counted. */
const CALLS_COUNTED_MAX = 200

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

async function appPage(deps: Deps, request: Request, user: User, grant: Grant, form?: FormState) {
  const { shell, profiles, clients, audit, clock } = deps
  const [summary, client, view, rows] = await Promise.all([
    appOf(grant, deps),
    clients.findById(grant.clientId),
    profiles.view(grant.profileId),
    audit.list({ grantId: grant.id, kind: 'call', limit: CALLS_COUNTED_MAX }),
  ])
  if (!client) throw new Failure('client_not_found')
  const tools = inOrder(toolsOf(grant, view, clock())).map((tool): AppTool => {
    const { toolId, feature, exposedName, connectionName, kind } = tool
    const calls = rows.filter((row) => row.toolId === toolId)
    const named = { feature, isEvery: isEvery(tool), name: exposedName, title: wordsOf(tool).title }
    return { ...named, connection: connectionName, kind, calls: calls.length, lastUsedAt: calls[0]?.at }
  })
  const app = {
    ...summary,
    profileId: grant.profileId,
    redirectHost: redirectHostsOf(client)[0] ?? 'nowhere',
    verification: verificationOf(client),
    script: isScript(client),
    firstUsedAt: grant.firstUsedAt,
    networks: grant.networks,
  }
  const calls = rows.slice(0, CALLS_SHOWN_MAX).map((row) => callRowOf(row, user))
  return <AppPage shell={shell.full(request, user)} app={app} tools={tools} calls={calls} form={form} />
}
