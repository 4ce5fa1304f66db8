import { z } from 'zod'
import { isFailure } from '@/lib/failure.ts'
import { MINIMUM_PASSWORD_LENGTH, type Users } from '@/users'
import { LinkUsedPage, type LinkUsedPageProps, ResetPage, SetupPage } from '@views/setup.tsx'
import { Field, REFUSED, refused } from './forms.ts'
import type { Mounted, Page, Profiles } from './needs.ts'
import { reachOf } from './reach.ts'
import { fromOf, signedIn } from './sign-in.ts'

type Deps = Page &
  Mounted & {
    users: Pick<Users, 'lookAtLink' | 'isSetUp' | 'setUp' | 'usePasswordLink' | 'find'>
    profiles: Pick<Profiles, 'ensureFirst'>
  }

const GONE = 410
const Asked = z.object({ token: Field.default('') })
const SetUpForm = z.object({ token: Field, username: Field, password: Field })
const ResetForm = z.object({ token: Field, password: Field })

/** Opening a link looks at it and no more: mail scanners and previews of chats open links as well. */
export const setupRoutes = ({ doors, reply, shell, users, profiles, addresses }: Deps) => {
  const dead = (request: Request, why: LinkUsedPageProps['why']) =>
    reply.page(<LinkUsedPage shell={shell.bare(request)} why={why} purpose="setup" />, { status: GONE })
  const whyDead = async () => ((await users.isSetUp()) ? 'used' : 'unknown')
  return doors
    .open('/setup')
    .get(
      '/',
      async ({ request, incoming, query: { token } }) => {
        if ((await users.lookAtLink(token))?.purpose !== 'set-up') return dead(request, await whyDead())
        const { origin } = incoming
        const props = { token, publicUrl: origin + addresses.base, reach: reachOf(origin), passwordLengthMin: MINIMUM_PASSWORD_LENGTH }
        return reply.page(<SetupPage shell={shell.bare(request)} {...props} />)
      },
      { query: Asked },
    )
    .post(
      '/',
      async ({ request, incoming, body: { token, username, password } }) => {
        try {
          const login = await users.setUp(token, username, password, fromOf(request, incoming))
          await profiles.ensureFirst(login.user)
          return reply.to(request, '/', { cookies: signedIn(incoming, login) })
        } catch (error) {
          if (isFailure(error, 'setup_link_dead') || isFailure(error, 'already_set_up')) return dead(request, await whyDead())
          const { origin } = incoming
          const props = { token, publicUrl: origin + addresses.base, reach: reachOf(origin), passwordLengthMin: MINIMUM_PASSWORD_LENGTH }
          return reply.page(<SetupPage shell={shell.bare(request)} {...props} form={refused(error, { username })} />, { status: REFUSED })
        }
      },
      { body: SetUpForm },
    )
}

/** New-password links, which an administrator makes. */
export const resetRoutes = ({ doors, reply, shell, users, profiles }: Omit<Deps, 'addresses'>) => {
  const dead = (request: Request) =>
    reply.page(<LinkUsedPage shell={shell.bare(request)} why="unknown" purpose="reset" />, { status: GONE })
  const ownerOf = async (token: string) => {
    const link = await users.lookAtLink(token)
    return link?.purpose === 'new-password' && link.userId ? users.find(link.userId) : undefined
  }
  return doors
    .open('/reset')
    .get(
      '/',
      async ({ request, query: { token } }) => {
        const owner = await ownerOf(token)
        if (!owner) return dead(request)
        const props = { token, username: owner.username, passwordLengthMin: MINIMUM_PASSWORD_LENGTH }
        return reply.page(<ResetPage shell={shell.bare(request)} {...props} />)
      },
      { query: Asked },
    )
    .post(
      '/',
      async ({ request, incoming, body: { token, password } }) => {
        try {
          const login = await users.usePasswordLink(token, password, fromOf(request, incoming))
          await profiles.ensureFirst(login.user)
          return reply.to(request, '/', { cookies: signedIn(incoming, login) })
        } catch (error) {
          if (isFailure(error, 'setup_link_dead')) return dead(request)
          const form = refused(error)
          const owner = await ownerOf(token)
          if (!owner) return dead(request)
          const props = { token, username: owner.username, passwordLengthMin: MINIMUM_PASSWORD_LENGTH }
          return reply.page(<ResetPage shell={shell.bare(request)} {...props} form={form} />, { status: REFUSED })
        }
      },
      { body: ResetForm },
    )
}
