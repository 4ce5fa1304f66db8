/** What of a user's profiles and apps was not used for a while. */
import { DAY_MS } from '@/lib/clock.ts'
import type { User } from '@/users'
import type { AppTrim, ProfileTrim, TrimProps } from '@views/usage-trim.tsx'
import { isAlive, nameOf } from './app-facts.ts'
import type { Audit, Clients, Clock, Grants, Profiles } from './needs.ts'

export const UNUSED_DAYS = 30

export type TrimDeps = {
  audit: Pick<Audit, 'usedTools'>
  profiles: Pick<Profiles, 'list' | 'view' | 'pickedAt'>
  grants: Pick<Grants, 'listForUser'>
  clients: Clients
  clock: Clock
}

async function profilesOf({ audit, profiles }: TrimDeps, user: User, since: number): Promise<ProfileTrim[]> {
  const own = await profiles.list(user.id)
  const used = audit.usedTools({ profileIds: own.map(({ id }) => id), from: since })
  const all = await Promise.all(
    own.map(async ({ id, title }): Promise<ProfileTrim> => {
      const [{ tools }, pickedAt] = await Promise.all([profiles.view(id), profiles.pickedAt(id)])
      const isUsed = ({ toolId }: { toolId: string }) => used.has(`${id} ${toolId}`)
      const costOf = (some: typeof tools) => some.reduce((sum, { contextCost }) => sum + contextCost, 0)
      const inUse = tools.filter(isUsed)
      const unused = tools.filter((tool) => !isUsed(tool) && (pickedAt.get(tool.toolId) ?? since) <= since)
      return {
        ...{ id, title, tools: tools.length, usedTools: inUse.length },
        ...{ listedCost: costOf(tools), usedCost: costOf(inUse) },
        unused: unused.map(({ toolId, exposedName, contextCost }) => ({ id: toolId, name: exposedName, cost: contextCost })),
      }
    }),
  )
  return all.filter(({ tools }) => tools > 0)
}

async function appsOf({ grants, clients, profiles, clock }: TrimDeps, user: User, since: number): Promise<AppTrim[]> {
  const idle = (await grants.listForUser(user.id)).filter(
    (grant) => isAlive(grant, clock()) && grant.createdAt <= since && (grant.lastUsedAt ?? 0) <= since,
  )
  return Promise.all(
    idle.map(async ({ id, clientId, profileId, deviceName, lastUsedAt }) => ({
      ...{ id, device: deviceName, lastUsedAt },
      client: nameOf(await clients.findById(clientId)),
      profile: (await profiles.view(profileId)).profile.title,
    })),
  )
}

export async function trimOf(deps: TrimDeps, user: User): Promise<TrimProps> {
  const since = deps.clock() - UNUSED_DAYS * DAY_MS
  const [profiles, apps] = await Promise.all([profilesOf(deps, user, since), appsOf(deps, user, since)])
  return { profiles, apps, days: UNUSED_DAYS }
}
