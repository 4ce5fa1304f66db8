/** What an app may do after its user has let it in: tool by tool, or many at once. */
import { Failure } from '@/lib/failure.ts'
import type { GrantId, ProfileId, ToolId, UserId } from '@/lib/ids.ts'
import type { ProfileTool, ProfileView } from '@/profiles'
import type { User } from '@/users'
import { type Permission, permissionOf } from './decide.ts'
import type { Grants } from './grants.ts'
import type { Grant } from './reading.ts'

export type PermittingDeps = {
  grants: Pick<Grants, 'demand' | 'permitMany'>
  profiles: { viewFor(userId: UserId, id: ProfileId): Promise<ProfileView> }
}
/** In the order in which they are done: a group is about each of its tools, whatever was said of one of them. */
export type Permitting = {
  tools?: ReadonlyMap<ToolId, Permission>
  /** All tools of one kind; `beside` are prompts and resources. */
  group?: { kind: Kind; permission: Permission }
  laterTools?: 'out' | 'in'
}
export type Kind = ProfileTool['kind'] | 'beside'

export const kindOf = ({ feature, kind }: Pick<ProfileTool, 'feature' | 'kind'>): Kind => (feature === 'tool' ? kind : 'beside')

/** The row in the trail says each by its name, up to so many. */
const TOLD_MAX = 100

type Changed = { tools: Map<ToolId, Permission>; told: { tool: string; from: Permission; to: Permission }[] }

/** What is asked for, as far as it is another than before. Nobody is asked about prompts and resources: what is to ask there is refused. */
function changedBy(grant: Grant, wanted: ReadonlyMap<ToolId, Permission>, { byToolId }: ProfileView, isTurned: boolean): Changed {
  const changed: Changed = { tools: new Map(), told: [] }
  for (const [toolId, asked] of wanted) {
    const tool = byToolId.get(toolId)
    // An id from elsewhere must not wait in a grant until it happens to mean something.
    if (!tool) throw new Failure('tool_not_found')
    const from = permissionOf(grant, toolId)
    const to = asked === 'ask' && tool.feature !== 'tool' ? 'refuse' : asked
    if (from !== to || (isTurned && !grant.tools.has(toolId))) changed.tools.set(toolId, to)
    if (from !== to) changed.told.push({ tool: tool.exposedName, from, to })
  }
  return changed
}

export function createPermitting({ grants, profiles }: PermittingDeps) {
  return {
    /**
     * One transaction and one row in the trail, whatever it is.
     * @throws Failure `grant_not_found`, `tool_not_found` for what is not in its profile
     */
    async permit(user: User, id: GrantId, { tools = new Map(), group, laterTools }: Permitting): Promise<void> {
      const grant = await grants.demand(user.id, id)
      const view = await profiles.viewFor(user.id, grant.profileId)
      const all = [...view.byToolId.values()]
      const isTurned = laterTools !== undefined && laterTools !== grant.laterTools
      // What is there now is settled as it is, so that this is about what comes later and nothing else.
      const asItIs = isTurned ? all.map(({ toolId }) => [toolId, permissionOf(grant, toolId)] as const) : []
      const inGroup = group ? all.filter((tool) => kindOf(tool) === group.kind) : []
      const grouped = inGroup.map(({ toolId }) => [toolId, group?.permission ?? 'refuse'] as const)
      const { tools: changed, told } = changedBy(grant, new Map([...asItIs, ...tools, ...grouped]), view, isTurned)
      if (changed.size === 0 && !isTurned) return
      const turned = isTurned ? { laterTools } : {}
      const more = told.length > TOLD_MAX ? { more: told.length - TOLD_MAX } : {}
      await grants.permitMany(user, id, { tools: changed, ...turned }, { detail: { tools: told.slice(0, TOLD_MAX), ...more, ...turned } })
    },
  }
}
