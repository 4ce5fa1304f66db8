import { z } from 'zod'
import type { Incoming } from '@/http/incoming.ts'
import { isHtmx } from '@/http/reply.ts'
import { ProfileId, ToolId } from '@/lib/ids.ts'
import type { User, Users } from '@/users'
import type { FormState } from '@views/parts/field.tsx'
import { ToastAlong } from '@views/parts/toast.tsx'
import { WaitingCard } from '@views/profile-connect.tsx'
import { ProfileTools } from '@views/profile-tools.tsx'
import { ProfilePage } from '@views/profile.tsx'
import { type ProfileSummary, ProfilesPage } from '@views/profiles.tsx'
import { isAlive, nameOf } from './app-facts.ts'
import { standingOf } from './control.ts'
import { Field, REFUSED, Repeated, refused, repeated, SeenTool } from './forms.ts'
import type { Audit, Clients, Clock, Connections, Control, Grants, Mounted, Page, Profile, Profiles, ProfileView, Seen } from './needs.ts'
import { heldBy, listedTools, totalOf } from './offered.ts'
import { deliveriesOf, groupsOf, waitingOf, waysInto } from './profile-facts.ts'
import { reachOf } from './reach.ts'
import { changesOf } from './tool-changes.ts'

type Deps = Page &
  Mounted & {
    profiles: Profiles
    connections: Pick<Connections, 'list' | 'everything'>
    grants: Pick<Grants, 'listForUser'>
    control: Pick<Control, 'met' | 'paused'>
    clients: Clients
    users: Pick<Users, 'find'>
    audit: Pick<Audit, 'list'>
    clock: Clock
  }
type Forms = { toolsForm?: FormState; changesForm?: FormState; detailsForm?: FormState; ticked?: ReadonlySet<string> }

const One = { params: z.object({ id: ProfileId }) }
const Details = z.object({
  title: Field,
  description: Field.default(''),
  naming: z.enum(['always', 'on-collision', 'never']),
  delivery: z.enum(['whole', 'search']).optional(),
  visibility: z.enum(['private', 'open']).default('private'),
  purpose: z.literal('on').optional(),
  keeps: z.enum(['sizes', 'redacted', 'whole']).optional(),
})

export const profileRoutes = (deps: Deps) => {
  const { doors, reply, shell, profiles } = deps
  const pages = profilePages(deps)
  return doors
    .member('/profiles')
    .get('/', async (seen) => reply.page(await pages.all(seen), { cookies: shell.said(seen.request) }))
    .post(
      '/',
      async ({ body: { title }, ...seen }) => {
        try {
          const { id } = await profiles.create(seen.user, { title })
          return reply.to(seen.request, `/profiles/${id}`)
        } catch (error) {
          return reply.page(await pages.all(seen, refused(error, { title })), { status: REFUSED })
        }
      },
      { body: z.object({ title: Field }) },
    )
    .get(
      '/:id',
      async ({ params: { id }, ...seen }) => {
        const profile = await profiles.demand(seen.user.id, id)
        return reply.page(await pages.one(seen, profile), { cookies: shell.said(seen.request) })
      },
      One,
    )
    .post(
      '/:id',
      async ({ params: { id }, body, ...seen }) => {
        const profile = await profiles.demand(seen.user.id, id)
        const { delivery = profile.delivery, keeps = profile.keeps, purpose, ...rest } = body
        const details = { ...rest, keeps }
        try {
          await profiles.update(seen.user, id, { ...details, delivery, asksPurpose: purpose === 'on' })
          return reply.to(seen.request, `/profiles/${id}`, { cookies: [reply.notice(seen.incoming, { tone: 'good', text: 'Saved.' })] })
        } catch (error) {
          return reply.page(await pages.one(seen, profile, { detailsForm: refused(error, { ...details, delivery }) }), { status: REFUSED })
        }
      },
      { ...One, body: Details },
    )
    .get(
      '/:id/waiting',
      async ({ request, user, params: { id } }) => {
        const profile = await profiles.demand(user.id, id)
        return reply.piece(request, <WaitingCard profileId={id} waiting={await waitingOf(user, profile, deps)} />, `/profiles/${id}`)
      },
      One,
    )
    .post(
      '/:id/delete',
      async ({ request, incoming, user, params: { id } }) => {
        const { title } = await profiles.demand(user.id, id)
        await profiles.remove(user, id)
        return reply.to(request, '/profiles', { cookies: [reply.notice(incoming, { tone: 'good', text: `${title} is deleted.` })] })
      },
      One,
    )
}

const ACCEPTED = { tone: 'good', text: 'Accepted. Apps have it again.' } as const
const SAVED = { tone: 'good', text: 'Tools saved.' } as const

function pickerOf(view: ProfileView) {
  const { deliveries, chips, search } = deliveriesOf(view)
  return { chips, search, helps: search ? [] : deliveries.helps }
}

/** The picker answers with itself, or for a plain browser with its page. */
export const profileToolsRoutes = (deps: Deps) => {
  const { doors, reply, profiles, connections } = deps
  const pages = profilePages(deps)
  const refusedTools = async (seen: Seen, profile: Profile, toolIds: readonly ToolId[], toolsForm: FormState) => {
    const ticked = new Set<string>(toolIds)
    if (!isHtmx(seen.request)) return reply.page(await pages.one(seen, profile, { toolsForm, ticked }), { status: REFUSED })
    const view = await profiles.view(profile.id)
    const groups = await groupsOf(seen.user, view, connections, ticked)
    const piece = <ProfileTools profileId={profile.id} {...pickerOf(view)} groups={groups} form={toolsForm} />
    return reply.piece(seen.request, piece, `/profiles/${profile.id}`, { status: REFUSED })
  }
  return doors.member('/profiles').post(
    '/:id/tools',
    async ({ params: { id }, body, ...seen }) => {
      const { request, incoming, user } = seen
      const profile = await profiles.demand(user.id, id)
      const toolIds = repeated(body?.tool_id)
      try {
        await profiles.setTools(user, id, toolIds)
      } catch (error) {
        return refusedTools(seen, profile, toolIds, refused(error))
      }
      if (!isHtmx(request)) return reply.to(request, `/profiles/${id}`, { cookies: [reply.notice(incoming, SAVED)] })
      const view = await profiles.view(id)
      const groups = await groupsOf(user, view, connections)
      const piece = (
        <>
          <ProfileTools profileId={id} {...pickerOf(view)} groups={groups} />
          <ToastAlong message={SAVED} />
        </>
      )
      return reply.piece(request, piece, `/profiles/${id}`)
    },
    // No box ticked is an empty body.
    { ...One, body: z.object({ tool_id: Repeated(ToolId) }).nullish() },
  )
}

/** The changes that were looked at are let through; anything newer stays held back. */
export const profileChangesRoutes = (deps: Deps) => {
  const { doors, reply, profiles } = deps
  const pages = profilePages(deps)
  return doors
    .member('/profiles')
    .post(
      '/:id/tools/approve',
      async ({ params: { id }, body, ...seen }) => {
        const profile = await profiles.demand(seen.user.id, id)
        const looked = repeated(body.seen).map(({ id, hash }) => [id, hash] as const)
        try {
          if (body.everywhere) await profiles.approveEverywhere(seen.user, new Map(looked))
          else await profiles.approveTools(seen.user, id, new Map(looked))
        } catch (error) {
          return reply.page(await pages.one(seen, profile, { changesForm: refused(error) }), { status: REFUSED })
        }
        return reply.to(seen.request, `/profiles/${id}`, { cookies: [reply.notice(seen.incoming, ACCEPTED)] })
      },
      { ...One, body: z.object({ seen: Repeated(SeenTool), everywhere: z.literal('on').optional() }) },
    )
    .post(
      '/:id/tools/take-out',
      async ({ request, incoming, user, params: { id }, body }) => {
        await profiles.takeOut(user, id, body.tool_id)
        return reply.to(request, `/profiles/${id}`, { cookies: [reply.notice(incoming, { tone: 'good', text: 'Taken out.' })] })
      },
      { ...One, body: z.object({ tool_id: ToolId }) },
    )
}

function profilePages({ shell, addresses, profiles, connections, grants, control, clients, users, audit, clock }: Deps) {
  const urlOf = ({ origin }: Incoming, { name }: Profile) => `${origin}${addresses.base}/mcp/${name}`
  const aliveOf = async (user: User) => (await grants.listForUser(user.id)).filter((grant) => isAlive(grant, clock()))
  return {
    async all({ request, incoming, user }: Seen, form?: FormState) {
      const [own, others, alive] = await Promise.all([profiles.list(user.id), profiles.listOpen(user.id), aliveOf(user)])
      const open = others.map(async (profile) => ({
        title: profile.title,
        owner: (await users.find(profile.ownerId))?.username ?? '',
        url: urlOf(incoming, profile),
        holds: heldBy((await profiles.viewFor(user.id, profile.id)).offered),
      }))
      const summaries = own.map(async (profile): Promise<ProfileSummary> => {
        const view = await profiles.view(profile.id)
        return {
          id: profile.id,
          title: profile.title,
          description: profile.description,
          url: urlOf(incoming, profile),
          holds: heldBy(view.offered),
          bySearch: profile.delivery === 'search',
          connections: new Set(view.offered.map((tool) => tool.connectionId)).size,
          contextCost: totalOf(listedTools(view, profile.delivery)).cost,
          apps: alive.filter((grant) => grant.profileId === profile.id).length,
          heldBack: view.heldBack.length,
          isPaused: control.paused(user, { kind: 'profile', id: profile.id }, 'everyone') !== undefined,
        }
      })
      return (
        <ProfilesPage
          shell={shell.full(request, user)}
          profiles={await Promise.all(summaries)}
          open={await Promise.all(open)}
          form={form}
        />
      )
    },

    async one({ request, incoming, user }: Seen, profile: Profile, { toolsForm, changesForm, detailsForm, ticked }: Forms = {}) {
      const view = await profiles.view(profile.id)
      const [groups, waiting, alive, changed, standing] = await Promise.all([
        groupsOf(user, view, connections, ticked ?? 'suggested'),
        waitingOf(user, profile, { audit, grants, clients, clock }),
        aliveOf(user),
        changesOf({ profiles, connections }, user, view),
        standingOf({ control }, user, { kind: 'profile', id: profile.id }, 'everyone'),
      ])
      const apps = alive
        .filter((grant) => grant.profileId === profile.id)
        .map(async (grant) => ({ id: grant.id, client: nameOf(await clients.findById(grant.clientId)) }))
      const { id, title, description, naming, visibility, delivery, asksPurpose, keeps, name: slug } = profile
      const url = urlOf(incoming, profile)
      const { deliveries, chips, search } = deliveriesOf(view)
      const reach = reachOf(incoming.origin)
      return (
        <ProfilePage
          shell={shell.full(request, user)}
          profile={{ id, title, description, naming, visibility, delivery, asksPurpose, keeps, slug, url }}
          groups={groups}
          saved={heldBy([...view.byToolId.values()])}
          deliveries={deliveries}
          search={search}
          changed={changed}
          chips={chips}
          reach={reach}
          ways={waysInto({ name: slug, title, url }, reach, chips)}
          waiting={waiting}
          apps={await Promise.all(apps)}
          control={standing}
          toolsForm={toolsForm}
          changesForm={changesForm}
          detailsForm={detailsForm}
        />
      )
    },
  }
}
