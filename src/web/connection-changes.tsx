/** Changes of a server's definitions, as the page of its connection takes them: accepted in all profiles, or trusted from now on. */
import { z } from 'zod'
import type { Connections as AllConnections } from '@/connections'
import { ConnectionId } from '@/lib/ids.ts'
import type { Profiles as AllProfiles } from '@/profiles'
import { Repeated, repeated, SeenTool } from './forms.ts'
import type { Page } from './needs.ts'

type Deps = Page & {
  connections: Pick<AllConnections, 'demand' | 'setTrust'>
  profiles: Pick<AllProfiles, 'approveEverywhere' | 'takeOver'>
}

const One = { params: z.object({ id: ConnectionId }) }
const ACCEPTED = { tone: 'good', text: 'Accepted in all your profiles. Apps have it again.' } as const
const TRUSTED = { tone: 'good', text: 'Its changes are taken over from now on.' } as const
const LOOKED_AT = { tone: 'good', text: 'Its changes wait for you from now on.' } as const

export const connectionChangesRoutes = ({ doors, reply, connections, profiles }: Deps) =>
  doors
    .member('/connections')
    .post(
      '/:id/tools/approve',
      async ({ request, incoming, user, params: { id }, body }) => {
        await connections.demand(user, id)
        await profiles.approveEverywhere(user, new Map(repeated(body.seen).map((seen) => [seen.id, seen.hash])))
        return reply.to(request, `/connections/${id}`, { cookies: [reply.notice(incoming, ACCEPTED)] })
      },
      { ...One, body: z.object({ seen: Repeated(SeenTool) }) },
    )
    .post(
      '/:id/trust',
      async ({ request, incoming, user, params: { id }, body }) => {
        const trusts = body?.trusts === 'on'
        await connections.setTrust(user, id, trusts)
        // What waits now is among what is trusted.
        if (trusts) await profiles.takeOver(id)
        return reply.to(request, `/connections/${id}`, { cookies: [reply.notice(incoming, trusts ? TRUSTED : LOOKED_AT)] })
      },
      { ...One, body: z.object({ trusts: z.literal('on').optional() }).nullish() },
    )
