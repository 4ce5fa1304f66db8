/** What apps did: the list, one call, usage and the weekly digest, with nothing, little and much. */
import type { Html } from '@views/jsx-runtime'
import { ActivityPage, type CallRow } from '@views/activity.tsx'
import type { ActivityChoices } from '@views/activity-filter.tsx'
import { callPages } from './call.tsx'
import { calls } from './calls.ts'
import { now, shell } from './samples.ts'
import { EVIL, LONG } from './samples-text.ts'
import { digestPages } from './digest.tsx'
import { usagePages } from './usage.tsx'

const choices: ActivityChoices = {
  apps: [
    { value: 'cli_1', label: 'Claude Code' },
    { value: 'cli_2', label: EVIL },
  ],
  grants: [{ value: 'grt_1', label: 'Work laptop' }],
  profiles: [{ value: 'prf_1', label: 'Work' }],
  connections: [{ value: 'con_1', label: 'Linear' }],
  tools: [
    { value: 'tol_1', label: 'list_issues · Linear' },
    { value: 'tol_2', label: `${LONG} · Linear` },
  ],
  users: [{ value: 'usr_1', label: 'kim' }],
}
const acts: readonly CallRow[] = [
  ...calls.slice(0, 3).map((call) => ({ ...call, user: 'kim' })),
  {
    ...{ id: '90', at: now - 4_000_000, client: 'Claude Code', profile: 'Work', tool: 'App let in', isAct: true, action: 'Work laptop' },
    ...{ outcome: 'ok' as const, user: 'kim' },
  },
  {
    id: '91',
    at: now - 5_000_000,
    client: '–',
    profile: '',
    tool: 'Signed in',
    isAct: true,
    outcome: 'refused',
    reason: 'The password is wrong.',
    user: 'lee',
  },
]
const live = { isOn: true, href: '/activity?live=off' }
const nothing = { filter: {}, chips: [], choices: { ...choices, users: [] } }

export const activityPages: Record<string, Html> = {
  'activity-empty': <ActivityPage shell={shell} calls={[]} filtered={false} {...nothing} live={live} renewHref="/activity/rows" />,
  'activity-nothing-fits': (
    <ActivityPage
      shell={shell}
      calls={[]}
      filtered={true}
      {...nothing}
      filter={{ q: 'zebra' }}
      chips={[{ label: 'Words', text: 'zebra', removeHref: '/activity' }]}
      live={live}
    />
  ),
  activity: (
    <ActivityPage
      shell={shell}
      calls={calls}
      filtered={false}
      {...nothing}
      live={live}
      renewHref="/activity/rows"
      olderHref="/activity?before=1"
    />
  ),
  'activity-filtered': (
    <ActivityPage
      shell={shell}
      calls={acts}
      filtered={true}
      choices={choices}
      filter={{ q: EVIL, kind: 'all', client: 'cli_2', last: 'week', user: 'usr_1', from: '2026-11-01T10:00' }}
      chips={[
        { label: 'Words', text: EVIL, removeHref: '/activity' },
        { label: 'What', text: 'Everything', removeHref: '/activity' },
        { label: 'App', text: EVIL, removeHref: '/activity' },
        { label: 'User', text: 'kim', removeHref: '/activity' },
        { label: 'Last', text: 'week', removeHref: '/activity' },
      ]}
      lookedBack={{ to: now - 86_400_000, href: '/activity?before=77' }}
      newestHref="/activity"
      newerHref="/activity?after=9"
      olderHref="/activity?before=1"
      exports={[
        { label: 'CSV', href: '/activity/export?format=csv' },
        { label: 'JSONL', href: '/activity/export?format=jsonl' },
      ]}
    />
  ),
  'activity-paused': (
    <ActivityPage shell={shell} calls={calls.slice(0, 1)} filtered={false} {...nothing} live={{ isOn: false, href: '/activity' }} />
  ),
  ...callPages,
  ...usagePages,
  ...digestPages,
}
