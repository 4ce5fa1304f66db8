import { HomePage } from '@views/home.tsx'
import { type AppDeps, appOf, isAlive, isScript } from './app-facts.ts'
import { callRowOf } from './call-rows.ts'
import { troublesOf } from './connection-facts.ts'
import type { Connections as AllConnections } from '@/connections'
import { heldBy } from './offered.ts'
import type { Audit, Connections, Grants, Page, Profiles } from './needs.ts'

type Deps = Page &
  AppDeps & {
    audit: Pick<Audit, 'list'>
    connections: Pick<Connections, 'list'> & Pick<AllConnections, 'signIn' | 'providers'>
    profiles: Pick<Profiles, 'list' | 'view' | 'ensureFirst'>
    grants: Pick<Grants, 'listForUser'>
  }

const CALLS_SHOWN_MAX = 8
const APPS_SHOWN_MAX = 5

export const homeRoutes = ({ doors, reply, shell, audit, connections, profiles, grants, clients, clock }: Deps) =>
  doors.member('').get('/', async ({ request, user }) => {
    await profiles.ensureFirst(user)
    const [own, reachable, granted, rows] = await Promise.all([
      profiles.list(user.id),
      connections.list(user),
      grants.listForUser(user.id),
      audit.list({ userId: user.id, kind: 'call', limit: CALLS_SHOWN_MAX }),
    ])
    const views = await Promise.all(own.map((profile) => profiles.view(profile.id)))
    const alive = granted.filter((grant) => isAlive(grant, clock()))
    // Tokens of scripts have a page of their own.
    const clientsOf = await Promise.all(alive.map((grant) => clients.findById(grant.clientId)))
    const shown = alive.filter((_, at) => !isScript(clientsOf[at])).slice(0, APPS_SHOWN_MAX)
    const apps = await Promise.all(shown.map((grant) => appOf(grant, { clients, profiles, clock })))
    const steps = {
      connectionAdded: reachable.length > 0,
      toolsPicked: views.some((view) => view.byToolId.size > 0),
      appConnected: granted.some((grant) => grant.activatedAt !== null || grant.firstUsedAt !== null),
      profile: { id: own[0]?.id ?? '', title: own[0]?.title ?? '' },
    }
    const troubles = await troublesOf(user, reachable, { connections, clock })
    const heldBack = views.flatMap(({ profile: { id, title }, heldBack: held }) =>
      held.length > 0 ? [{ id, title, holds: heldBy(held) }] : [],
    )
    const page = (
      <HomePage
        shell={shell.full(request, user)}
        {...{ steps, apps, troubles, heldBack }}
        calls={rows.map((row) => callRowOf(row, user))}
      />
    )
    return reply.page(page, { cookies: shell.said(request) })
  })
