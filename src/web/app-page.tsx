/** One connected app, put together for its page. */
import { newlyOf, permissionOf } from '@/grants'
import { Failure } from '@/lib/failure.ts'
import type { ProfileView } from '@/profiles'
import type { User, Users } from '@/users'
import { AppPage, type AppPageProps } from '@views/app.tsx'
import type { AppAccessProps } from '@views/app-access.tsx'
import type { AppPermissionsProps, AppTool } from '@views/app-permissions.tsx'
import type { AppSwitchProps, SwitchChoice } from '@views/app-switch.tsx'
import type { FormState } from '@views/parts/field.tsx'
import { type AppDeps, appOf, isAlive, isScript, redirectHostsOf, verificationOf } from './app-facts.ts'
import { pausesOf } from './pauses.ts'
import { callRowOf } from './call-rows.ts'
import { type LimitsDeps, limitsOfApp } from './limits.tsx'
import type { Audit, Control, Grant, Grants, Page, Profile, Profiles } from './needs.ts'
import { inOrder, isEvery, wordsOf } from './offered.ts'

export type AppPageDeps = Pick<Page, 'shell'> &
  AppDeps &
  LimitsDeps & {
    audit: Pick<Audit, 'list'>
    grants: Pick<Grants, 'listForUser'>
    control: Pick<Control, 'switchesOf'>
    profiles: AppDeps['profiles'] & Pick<Profiles, 'viewFor' | 'list' | 'listOpen'>
    users: Pick<Users, 'find'>
  }
/** A form that was refused, for the same page again. */
export type Posted = { device?: FormState; expiry?: FormState; schedule?: FormState; days?: number }

const CALLS_SHOWN_MAX = 10
/** How far back the calls of each tool are counted. */
const CALLS_COUNTED_MAX = 200

export async function appPage(deps: AppPageDeps, request: Request, user: User, grant: Grant, posted: Posted = {}) {
  const { shell, profiles, clients, audit, clock } = deps
  const alive = isAlive(grant, clock())
  const { offered } = await profiles.viewFor(grant.userId, grant.profileId)
  const used = new Map(offered.map(({ connectionId, connectionName }) => [connectionId, connectionName] as const))
  const [summary, client, permissions, rows] = await Promise.all([
    appOf(grant, deps),
    clients.findById(grant.clientId),
    permissionsOf(deps, grant),
    audit.list({ grantId: grant.id, kind: 'call', limit: CALLS_SHOWN_MAX }),
  ])
  if (!client) throw new Failure('client_not_found')
  const app = {
    ...summary,
    profileId: grant.profileId,
    redirectHost: redirectHostsOf(client)[0] ?? 'nowhere',
    verification: verificationOf(client),
    script: isScript(client),
    firstUsedAt: grant.firstUsedAt,
    networks: grant.networks,
  }
  const props: Omit<AppPageProps, 'shell'> = {
    app,
    permissions,
    ...(alive && { access: await accessOf(deps, grant, posted.expiry) }),
    ...(alive && grant.reach === 'any' && { profile: await switchOf(deps, user, grant, posted) }),
    limits: limitsOfApp(deps, grant, used),
    calls: rows.map((row) => callRowOf(row, user)),
    form: posted.device,
  }
  return <AppPage shell={shell.full(request, user)} {...props} />
}

/** All that its profile holds, with what the app may do with it. */
export async function permissionsOf(deps: AppPageDeps, grant: Grant): Promise<AppPermissionsProps> {
  const { profiles, audit, clock } = deps
  const [view, rows] = await Promise.all([
    profiles.viewFor(grant.userId, grant.profileId),
    audit.list({ grantId: grant.id, kind: 'call', limit: CALLS_COUNTED_MAX }),
  ])
  const byTool = Map.groupBy(rows, (row) => row.toolId)
  const tools = inOrder([...view.byToolId.values()]).map((tool): AppTool => {
    const { toolId, feature, exposedName, connectionName, kind, isHeldBack } = tool
    const calls = byTool.get(toolId) ?? []
    return {
      ...{ id: toolId, feature, isEvery: isEvery(tool), name: exposedName, title: wordsOf(tool).title, connection: connectionName, kind },
      ...{ calls: calls.length, lastUsedAt: calls[0]?.at, permission: permissionOf(grant, toolId), isHeldBack },
      isUndecided: !grant.tools.has(toolId),
      isPaused: grant.without.has(tool.connectionId),
    }
  })
  return { appId: grant.id, tools, laterTools: grant.laterTools, alive: isAlive(grant, clock()) }
}

async function accessOf({ grants, clock }: AppPageDeps, grant: Grant, form: FormState | undefined): Promise<Omit<AppAccessProps, 'app'>> {
  const own = await grants.listForUser(grant.userId)
  const siblings = own.filter((each) => each.clientId === grant.clientId && isAlive(each, clock())).length
  return { pauses: pausesOf(grant), siblings, form }
}

function choiceOf(grant: Grant, { id, title }: Profile, view: ProfileView, owner: string | undefined): SwitchChoice {
  const newly = newlyOf(grant, view, 'usual')
  const after = { laterTools: grant.laterTools, tools: new Map([...grant.tools, ...newly]) }
  const count = (permission: string) => view.offered.filter(({ toolId }) => permissionOf(after, toolId) === permission).length
  return {
    ...{ id, title, owner, current: id === grant.profileId, newly: newly.size },
    ...{ allowed: count('allow'), asked: count('ask'), refused: count('refuse') },
  }
}

const pad = (part: number) => String(part).padStart(2, '0')
const MINUTES_OF_AN_HOUR = 60

async function switchOf(deps: AppPageDeps, user: User, grant: Grant, { schedule, days }: Posted): Promise<AppSwitchProps> {
  const { profiles, control, users } = deps
  const [own, open, switches] = await Promise.all([profiles.list(user.id), profiles.listOpen(user.id), control.switchesOf(user, grant.id)])
  const all = [...own, ...open]
  const choices = await Promise.all(
    all.map(async (profile) => {
      const owner = profile.ownerId === user.id ? undefined : (await users.find(profile.ownerId))?.username
      return choiceOf(grant, profile, await profiles.viewFor(user.id, profile.id), owner)
    }),
  )
  const titles = new Map(all.map(({ id, title }) => [id, title]))
  const latest = switches.toSorted((a, b) => b.createdAt - a.createdAt)[0]
  return {
    appId: grant.id,
    choices: choices.toSorted((a, b) => Number(b.current) - Number(a.current)),
    switches: switches.map(({ id, profileId, days: on, minuteOfDay, timeZone }) => ({
      ...{ id, profile: titles.get(profileId) ?? 'a profile that is not open any more', days: on, timeZone },
      time: `${pad(Math.floor(minuteOfDay / MINUTES_OF_AN_HOUR))}:${pad(minuteOfDay % MINUTES_OF_AN_HOUR)}`,
    })),
    timeZones: Intl.supportedValuesOf('timeZone'),
    timeZone: latest?.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    form: schedule,
    days,
  }
}
