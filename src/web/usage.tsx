import { z } from 'zod'
import { ProfileId, ToolId, UserId } from '@/lib/ids.ts'
import type { User, Users } from '@/users'
import { RANGES, type Range, UsagePage } from '@views/usage.tsx'
import { countedOf, groupsOf, spanOf, stepsOf } from './usage-facts.ts'
import { type TrimDeps, trimOf } from './usage-trim.ts'
import type { Audit, Page, Profiles } from './needs.ts'

type Deps = Page &
  TrimDeps & {
    audit: Pick<Audit, 'list' | 'usage' | 'following'>
    profiles: Pick<Profiles, 'demand' | 'view' | 'setTools'>
    users: Pick<Users, 'list'>
  }

const Query = z.object({
  range: z.enum(['day', 'week', 'month', 'year']).catch('week'),
  user: UserId.optional().catch(undefined),
})
type Query = z.infer<typeof Query>

const Removal = z.object({
  profile: ProfileId,
  tools: z
    .string()
    .max(64 * 1024)
    .transform((text) => text.split(' '))
    .pipe(z.array(ToolId).min(1)),
})

const addressOf = (range: Range, user: string | undefined) => `/activity/usage?${new URLSearchParams({ range, ...(user && { user }) })}`

export const usageRoutes = (deps: Deps) => {
  const { doors, reply, shell, audit, profiles, users, clock } = deps
  const page = async (request: Request, user: User, { range, user: chosen }: Query) => {
    const isAdmin = user.role === 'admin'
    const userId = isAdmin ? chosen : user.id
    const behind = await audit.following.catchUp()
    const span = spanOf(range, clock())
    const usage = await audit.usage({ userId, ...span })
    const rangeHrefs = Object.fromEntries(Object.keys(RANGES).map((each) => [each, addressOf(each as Range, isAdmin ? chosen : undefined)]))
    return (
      <UsagePage
        shell={shell.full(request, user)}
        range={range}
        rangeHrefs={rangeHrefs as Record<Range, string>}
        users={isAdmin ? { options: (await users.list()).map(({ id, username }) => ({ value: id, label: username })), chosen } : undefined}
        total={countedOf(usage.all)}
        steps={stepsOf(range, span, usage)}
        groups={await groupsOf({ audit, clients: deps.clients, usage, range, userId, byUser: isAdmin && chosen === undefined })}
        trim={await trimOf(deps, user)}
        behind={behind}
      />
    )
  }
  return doors
    .member('/activity/usage')
    .get('/', async ({ request, user, query }) => reply.page(await page(request, user, query), { cookies: shell.said(request) }), {
      query: Query,
    })
    .post(
      '/remove',
      async ({ request, incoming, user, body }) => {
        // Its own alone: what others have of it they take out themselves.
        const { title } = await profiles.demand(user.id, body.profile)
        const { byToolId } = await profiles.view(body.profile)
        const gone = new Set(body.tools)
        await profiles.setTools(
          user,
          body.profile,
          [...byToolId.keys()].filter((id) => !gone.has(id)),
        )
        const removed = body.tools.filter((id) => byToolId.has(id)).length
        const text = `${removed} ${removed === 1 ? 'tool is' : 'tools are'} out of ${title.slice(0, 60)}.`
        return reply.to(request, '/activity/usage', { cookies: [reply.notice(incoming, { tone: 'good', text })] })
      },
      { body: Removal },
    )
}
