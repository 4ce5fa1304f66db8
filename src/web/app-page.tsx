/** One connected app, put together for its page. */
import { Failure } from '@/lib/failure.ts'
import type { User } from '@/users'
import { AppPage } from '@views/app.tsx'
import type { AppTool } from '@views/app-tools.tsx'
import type { FormState } from '@views/parts/field.tsx'
import { type AppDeps, appOf, isScript, redirectHostsOf, toolsOf, verificationOf } from './app-facts.ts'
import { callRowOf } from './call-rows.ts'
import { type LimitsDeps, limitsOfApp } from './limits.tsx'
import type { Audit, Grant, Page } from './needs.ts'
import { inOrder, isEvery, wordsOf } from './offered.ts'

export type AppPageDeps = Pick<Page, 'shell'> & AppDeps & LimitsDeps & { audit: Pick<Audit, 'list'> }

const CALLS_SHOWN_MAX = 10
/** How far back the calls of each tool are counted. */
const CALLS_COUNTED_MAX = 200

export async function appPage(deps: AppPageDeps, request: Request, user: User, grant: Grant, form?: FormState) {
  const { shell, profiles, clients, audit } = deps
  const [summary, client, view, rows] = await Promise.all([
    appOf(grant, deps),
    clients.findById(grant.clientId),
    profiles.view(grant.profileId),
    audit.list({ grantId: grant.id, kind: 'call', limit: CALLS_COUNTED_MAX }),
  ])
  if (!client) throw new Failure('client_not_found')
  const tools = inOrder(toolsOf(grant, view)).map((tool): AppTool => {
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
  const used = new Map(view.offered.map(({ connectionId, connectionName }) => [connectionId, connectionName] as const))
  const limits = limitsOfApp(deps, grant, used)
  return <AppPage shell={shell.full(request, user)} app={app} tools={tools} calls={calls} limits={limits} form={form} />
}
