/** Connected apps and what is controlled of them, as the gallery shows it. */
import { AppPage, type AppPageProps } from '@views/app.tsx'
import type { AppTool, Permission } from '@views/app-permissions.tsx'
import type { SwitchChoice } from '@views/app-switch.tsx'
import { AppsPage, type AppSummary } from '@views/apps.tsx'
import { AdminPage } from '@views/admin.tsx'
import type { Html } from '@views/jsx-runtime'
import type { PausedWith } from '@views/parts/paused.tsx'
import { calls } from './calls.ts'
import { appLimits, noLimits } from './limits.tsx'
import { others } from './offered.ts'
import { apps, DAY, EVIL, holding, LONG, now, SECOND, shell, TOOLS, users } from './samples.ts'

const PERMISSIONS: readonly Permission[] = ['allow', 'allow', 'ask', 'refuse']
const tool = (at: number, rest: Pick<AppTool, 'feature' | 'name' | 'kind'> & Partial<AppTool>): AppTool => ({
  ...{ id: `tol_${at}`, isEvery: false, connection: at % 3 === 0 ? 'Linear' : 'GitHub', calls: Math.max(0, 40 - at * 9) },
  ...{ lastUsedAt: at < 4 ? now - at * DAY : undefined, permission: PERMISSIONS[at % 4] as Permission },
  ...{ isUndecided: at === 7, isHeldBack: at === 5, isPaused: false },
  ...rest,
})
const tools: readonly AppTool[] = [
  ...TOOLS.map(([name, kind], at) => tool(at, { feature: 'tool', name, kind })),
  ...others.map((item, at) => tool(at + 40, { ...item, kind: 'read', permission: at % 2 ? 'refuse' : 'allow' })),
]
const many: readonly AppTool[] = Array.from({ length: 120 }, (_, at) =>
  tool(at, {
    feature: 'tool',
    name: at % 17 === 0 ? LONG : `do_something_${at}`,
    kind: at % 3 === 0 ? 'write' : 'read',
    isPaused: at % 40 === 3,
  }),
)

const byHouse: PausedWith = { kind: 'everything', own: false, byName: 'ada', at: now - 7_200 * SECOND }
const byMe: PausedWith = { kind: 'grant', own: true, byName: '', at: now - 300 * SECOND }
const ofProfile: PausedWith = { kind: 'profile', own: false, byName: EVIL, at: now - DAY }
const choices: readonly SwitchChoice[] = [
  { id: 'prf_1', title: 'Work', current: true, allowed: 14, asked: 2, refused: 3, newly: 0 },
  { id: 'prf_2', title: 'Home', current: false, allowed: 6, asked: 0, refused: 1, newly: 0 },
  { id: 'prf_3', title: LONG, owner: 'mia', current: false, allowed: 22, asked: 4, refused: 0, newly: 26 },
]
const timeZones = ['Europe/Berlin', 'America/New_York', 'UTC']
const common: AppPageProps = {
  shell,
  app: {
    ...(apps[0] as AppSummary),
    ...{ profileId: 'prf_1', redirectHost: 'localhost', verification: 'described at claude.ai', script: false },
    ...{ firstUsedAt: now - 11 * DAY, networks: ['192.168.1.0/24', '2001:db8:12:34::/64'] },
  },
  permissions: { appId: 'grt_1', tools, laterTools: 'out', alive: true },
  access: { pauses: [], siblings: 1 },
  limits: appLimits,
  calls,
}
const nothing = { ...common.app, client: 'Claude Code', device: '', holds: holding(0), networks: [], firstUsedAt: null }
const counts = { active: 1, paused: 1, ended: 2 }

export const controlPages: Record<string, Html> = {
  'apps-empty': <AppsPage shell={shell} apps={[]} counts={{ active: 0, paused: 0, ended: 0 }} all={{ apps: 0, paused: undefined }} />,
  apps: <AppsPage shell={shell} apps={apps} counts={counts} all={{ apps: 3, paused: undefined }} />,
  'apps-many': (
    <AppsPage
      shell={{ ...shell, paused: { ...byHouse, own: true } }}
      apps={Array.from(
        { length: 12 },
        (_, at): AppSummary => ({ ...(apps[0] as AppSummary), id: `grt_${at}`, status: 'paused', pausedWith: byHouse }),
      )}
      filter="paused"
      counts={{ active: 0, paused: 12, ended: 4 }}
      all={{ apps: 12, paused: { ...byHouse, own: true } }}
    />
  ),
  'apps-none-paused': (
    <AppsPage shell={shell} apps={[]} filter="paused" counts={{ active: 12, paused: 0, ended: 4 }} all={{ apps: 12, paused: undefined }} />
  ),
  app: <AppPage {...common} access={{ pauses: [], siblings: 3 }} />,
  'app-any': (
    <AppPage
      {...common}
      profile={{
        ...{ appId: 'grt_1', choices, timeZones, timeZone: 'Europe/Berlin' },
        switches: [
          { id: 's1', profile: 'Work', days: 0b0011111, time: '09:00', timeZone: 'Europe/Berlin' },
          { id: 's2', profile: 'Home', days: 0b0010101, time: '18:30', timeZone: 'America/New_York' },
        ],
      }}
    />
  ),
  'app-any-alone': (
    <AppPage {...common} profile={{ appId: 'grt_1', choices: choices.slice(0, 1), switches: [], timeZones, timeZone: 'UTC' }} />
  ),
  'app-paused': (
    <AppPage
      {...common}
      shell={{ ...shell, paused: byHouse }}
      app={{ ...common.app, status: 'paused' }}
      access={{ pauses: [byHouse, ofProfile, byMe], siblings: 1 }}
      permissions={{ ...common.permissions, tools: many, laterTools: 'in' }}
    />
  ),
  'app-ended': (
    <AppPage
      {...common}
      app={{ ...common.app, status: 'revoked' }}
      access={undefined}
      permissions={{ ...common.permissions, tools: tools.slice(0, 5), alive: false }}
    />
  ),
  'admin-paused': (
    <AdminPage
      shell={{ ...shell, paused: byHouse }}
      users={users.map((user, at) => (at === 1 ? { ...user, paused: byHouse } : user))}
      control={{ apps: 14, users: 3, paused: byHouse }}
      passwordLengthMin={10}
    />
  ),
  'app-nothing': <AppPage {...common} limits={noLimits} app={nothing} permissions={{ ...common.permissions, tools: [] }} calls={[]} />,
}
