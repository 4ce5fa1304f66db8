import type { Digests } from '@/grants'
import { DigestPage } from '@views/digest.tsx'
import { type TrimDeps, trimOf } from './usage-trim.ts'
import type { Page } from './needs.ts'

type Deps = Page & TrimDeps & { digests: Pick<Digests, 'of'> }

export const digestRoutes = (deps: Deps) => {
  const { doors, reply, shell, digests } = deps
  return doors.member('/activity/digest').get('/', async ({ request, user }) => {
    const [digest, trim] = await Promise.all([digests.of(user.id), trimOf(deps, user)])
    const page = (
      <DigestPage
        {...digest}
        shell={shell.full(request, user)}
        tools={digest.tools.map(({ id, ...tool }) => ({ ...tool, href: `/activity?tool=${id}&last=week` }))}
        apps={digest.apps.map(({ id, ...app }) => ({ ...app, href: `/activity?client=${id}&last=week` }))}
        newApps={digest.newApps.map(({ id, name }) => ({ name, href: `/apps/${id}` }))}
        troubled={digest.troubled.map(({ id, name, problem }) => ({ name, note: problem, href: `/connections/${id}` }))}
        unused={trim.profiles.reduce((sum, { unused }) => sum + unused.length, 0)}
      />
    )
    return reply.page(page, { cookies: shell.said(request) })
  })
}
