/** One tool of a profile: what its server says, what apps see, and what makes the difference. */
import { z } from 'zod'
import { kindOf } from '@/connections'
import { contextCost } from '@/lib/context-cost.ts'
import { Failure } from '@/lib/failure.ts'
import { ProfileId, ToolId } from '@/lib/ids.ts'
import { exposedDefinition } from '@/profiles'
import type { User } from '@/users'
import type { FormState } from '@views/parts/field.tsx'
import { ProfileToolPage, type ToolSide } from '@views/profile-tool.tsx'
import { Field, REFUSED, refused, textsOf } from './forms.ts'
import type { Page, Profile, Profiles, ProfileTool, Seen } from './needs.ts'
import { wordsOf } from './offered.ts'
import { fieldsOf, readTool } from './tool-form.ts'

type Deps = Page & { profiles: Pick<Profiles, 'demand' | 'view' | 'adjustTool'> }
type Chosen = { profile: Profile; tool: ProfileTool }

const One = { params: z.object({ id: ProfileId, toolId: ToolId }) }
/** The arguments' fields (`use-0`, `value-0`) depend on the tool. `seen` is the definition that they belong to. */
const Form = z.looseObject({ seen: Field })

const ADJUSTED = { tone: 'good', text: 'Saved. Apps see it so at once.' } as const
const RESTORED = { tone: 'good', text: 'Everything is as its server says again.' } as const
const CHANGED = 'Its server changed this tool while you looked. Here it is as it is now; enter again what still fits.'

export const profileToolRoutes = (deps: Deps) => {
  const { doors, reply, shell, profiles } = deps
  const page = (seen: Seen, chosen: Chosen, posted?: { form: FormState; isPinned: boolean; fields: boolean }) => (
    <ProfileToolPage shell={shell.full(seen.request, seen.user)} {...pageOf(chosen, posted)} />
  )
  return doors
    .member('/profiles')
    .get(
      '/:id/tools/:toolId',
      async ({ params, ...seen }) => reply.page(page(seen, await chosenBy(deps, seen.user, params)), { cookies: shell.said(seen.request) }),
      One,
    )
    .post(
      '/:id/tools/:toolId',
      async ({ params, body, ...seen }) => {
        const chosen = await chosenBy(deps, seen.user, params)
        const { tool } = chosen
        const posted = textsOf(body)
        const isPinned = posted['pinned'] === 'on'
        const again = (form: FormState, fields: boolean) => reply.page(page(seen, chosen, { form, isPinned, fields }), { status: REFUSED })
        if (posted['seen'] !== tool.hash) return again({ values: posted, errors: { form: CHANGED } }, false)
        const { override, errors } = readTool(posted, tool.definition, tool.override ?? {})
        if (Object.keys(errors).length > 0) return again({ values: posted, errors }, true)
        try {
          await profiles.adjustTool(seen.user, params.id, params.toolId, { override, isPinned })
        } catch (error) {
          return again(refused(error, posted), true)
        }
        const cookies = [reply.notice(seen.incoming, ADJUSTED)]
        return reply.to(seen.request, `/profiles/${params.id}/tools/${params.toolId}`, { cookies })
      },
      { ...One, body: Form },
    )
    .post(
      '/:id/tools/:toolId/restore',
      async ({ request, incoming, user, params }) => {
        const { tool } = await chosenBy(deps, user, params)
        await profiles.adjustTool(user, params.id, params.toolId, { override: {}, isPinned: tool.isPinned })
        return reply.to(request, `/profiles/${params.id}/tools/${params.toolId}`, { cookies: [reply.notice(incoming, RESTORED)] })
      },
      One,
    )
}

/** Someone else's, one that is not picked, and a resource, which has nothing to adjust, look like none. */
async function chosenBy({ profiles }: Deps, user: User, { id, toolId }: { id: ProfileId; toolId: ToolId }): Promise<Chosen> {
  const profile = await profiles.demand(user.id, id)
  const tool = (await profiles.view(id)).byToolId.get(toolId)
  if (!tool || (tool.feature !== 'tool' && tool.feature !== 'prompt')) throw new Failure('tool_not_found')
  return { profile, tool }
}

function pageOf({ profile, tool }: Chosen, posted?: { form: FormState; isPinned: boolean; fields: boolean }) {
  const { definition, override = {} } = tool
  return {
    profile: { id: profile.id, title: profile.title, delivery: profile.delivery },
    tool: {
      ...{ id: tool.toolId, feature: tool.feature, hash: tool.hash, connection: { id: tool.connectionId, name: tool.connectionName } },
      ...{ kind: tool.kind, exposedName: tool.exposedName, upstreamName: tool.upstreamName, isHeldBack: tool.isHeldBack },
      isAdjusted: tool.override !== undefined,
      isPinned: posted?.isPinned ?? tool.isPinned,
    },
    server: sideOf(tool, definition),
    apps: sideOf(tool, exposedDefinition(tool)),
    saved: { name: override.name ?? '', title: override.title ?? '', description: override.description ?? '', kind: override.kind ?? '' },
    fields: tool.feature === 'tool' ? fieldsOf(definition, override, posted?.fields ? posted.form.values : undefined) : [],
    form: posted?.form,
  }
}

function sideOf(tool: ProfileTool, definition: Readonly<Record<string, unknown>>): ToolSide {
  const { title, description } = wordsOf({ feature: tool.feature, definition })
  return {
    name: typeof definition['name'] === 'string' ? definition['name'] : '',
    title,
    description,
    cost: tool.feature === 'tool' ? contextCost(definition) : undefined,
    kind: tool.feature === 'tool' ? kindOf(definition) : undefined,
    json: JSON.stringify(definition, undefined, 2),
  }
}
