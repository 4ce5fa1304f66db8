/** Pages with prompts and resources, profiles that are found by search, one tool adjusted, and very much of everything. */
import { waysInto } from '@/web/profile-facts.ts'
import { fieldsOf } from '@/web/tool-form.ts'
import { ConnectionPage } from '@views/connection.tsx'
import { ConsentPage } from '@views/consent.tsx'
import type { Html } from '@views/jsx-runtime'
import { ProfilePage } from '@views/profile.tsx'
import { ProfileToolPage, type ProfileToolPageProps } from '@views/profile-tool.tsx'
import { NewTokenPage } from '@views/tokens.tsx'
import { claude, firstTime, again } from './consents.ts'
import { consentRow, manyOthers, others, pickerRow, prompts } from './offered.ts'
import { apps, asking, chips, connection, few, groups, holding, many, profile, shell, TOOLS, upstreamTools, waitingFor } from './samples.ts'
import { EVIL, LONG } from './samples-text.ts'

export const deliveries = (tools: number, helps: readonly string[] = []) => ({
  whole: { tools, cost: tools * 310 },
  search: { tools: 5, cost: 1_140 },
  pinned: tools > 0 ? 2 : 0,
  helps,
})

const DEFINITION = {
  name: 'create_issue',
  title: 'Create issue',
  description: TOOLS[2]?.[3] ?? '',
  inputSchema: {
    type: 'object',
    required: ['team', 'title'],
    properties: {
      team: { type: 'string', description: 'Key of the team, as in ABC-12.' },
      title: { type: 'string', description: 'One line. '.repeat(30) },
      priority: { type: 'integer', description: 'From 0 (none) to 4 (low).' },
      urgent: { type: 'boolean' },
      state: { enum: ['triage', 'backlog', EVIL], description: 'Where it starts.' },
      labels: { type: 'array', items: { type: 'string' }, description: 'Ids of labels.' },
      [`${EVIL}${LONG}`]: { type: ['string', 'null'], description: `${EVIL} ${LONG}` },
    },
  },
}
const OVERRIDE = { defaults: { priority: 2, labels: ['bug', 'toolpass'] }, fixed: { team: 'ABC' } }
const exposed = { ...DEFINITION, name: 'new_issue', description: 'Creates an issue for the team ABC.' }
const adjusting: ProfileToolPageProps = {
  shell,
  profile: { id: 'prf_1', title: 'Work', delivery: 'search' },
  tool: {
    ...{ id: 'tol_1', feature: 'tool', hash: 'x', connection: { id: 'con_1', name: 'Linear' }, kind: 'write', exposedName: 'new_issue' },
    ...{ upstreamName: 'create_issue', isHeldBack: false, isAdjusted: true, isPinned: true },
  },
  server: {
    name: 'create_issue',
    title: 'Create issue',
    description: DEFINITION.description,
    cost: 640,
    kind: 'destructive',
    json: JSON.stringify(DEFINITION, undefined, 2),
  },
  apps: {
    name: 'new_issue',
    title: 'Create issue',
    description: exposed.description,
    cost: 590,
    kind: 'write',
    json: JSON.stringify(exposed, undefined, 2),
  },
  saved: { name: 'new_issue', title: '', description: exposed.description, kind: 'write' },
  fields: fieldsOf(DEFINITION, OVERRIDE),
}
const posted = { name: 'find_tools', 'use-2': 'default', 'value-2': 'high', 'use-5': 'fixed', 'value-5': 'bug, toolpass' }

const manyTools = Array.from({ length: 500 }, (_, at) => ({
  ...{ id: `tol_m${at}`, feature: 'tool' as const, isEvery: false, name: at % 50 === 0 ? LONG : `do_something_${at}`, title: `Do ${at}` },
  ...{ exposedName: at % 50 === 0 ? LONG.slice(0, 64) : `do_something_${at}`, description: 'Does something with something else.' },
  ...{ kind: (['read', 'write', 'destructive'] as const)[at % 3] ?? 'read', contextCost: 310, selected: at % 2 === 0, saved: at % 2 === 0 },
}))

export const featurePages: Record<string, Html> = {
  'profile-search': (
    <ProfilePage
      control={{ apps: 3, users: 2, paused: undefined }}
      shell={shell}
      profile={{ ...profile, delivery: 'search' }}
      groups={groups(true)}
      saved={holding(4, 2, 0, 1)}
      deliveries={deliveries(4)}
      search={{ cost: 380 }}
      chips={chips}
      changed={[]}
      reach="internet"
      ways={waysInto({ ...profile, name: 'work' }, 'internet', chips)}
      waiting={waitingFor.called}
      apps={[]}
    />
  ),
  'profile-full': (
    <ProfilePage
      control={{ apps: 3, users: 2, paused: undefined }}
      shell={shell}
      profile={profile}
      groups={[
        {
          connection: { id: 'con_1', name: 'Everything', trouble: false },
          tools: [...manyTools, ...manyOthers.map((item, at) => pickerRow(item, at, at % 7 === 0))],
        },
        {
          connection: { id: 'con_2', name: 'Prompts alone', trouble: false },
          tools: prompts.map((item, at) => pickerRow(item, at + 900, false)),
        },
      ]}
      saved={holding(250, 6, 43)}
      deliveries={deliveries(250, ['Cursor', 'VS Code', 'Windsurf'])}
      chips={chips}
      changed={[]}
      reach="internet"
      ways={waysInto({ ...profile, name: 'work' }, 'internet', chips)}
      waiting={waitingFor.called}
      apps={apps}
    />
  ),
  adjust: <ProfileToolPage {...adjusting} />,
  'adjust-refused': (
    <ProfileToolPage
      {...adjusting}
      fields={fieldsOf(DEFINITION, OVERRIDE, posted)}
      form={{
        values: posted,
        errors: {
          name: 'This name is kept for the tools that find others.',
          'value-2': 'Enter a number.',
          'value-5': 'This is no JSON. Text stands in quotes, a list in [ ], an object in { }.',
        },
      }}
    />
  ),
  'adjust-new': (
    <ProfileToolPage
      {...adjusting}
      profile={{ ...adjusting.profile, title: LONG, delivery: 'whole' }}
      tool={{
        ...adjusting.tool,
        exposedName: 'create_issue',
        isHeldBack: true,
        isAdjusted: false,
        isPinned: false,
        connection: { id: 'con_1', name: EVIL },
        upstreamName: LONG,
      }}
      apps={adjusting.server}
      saved={{ name: '', title: '', description: '', kind: '' }}
      fields={fieldsOf(DEFINITION, {})}
    />
  ),
  'adjust-prompt': (
    <ProfileToolPage
      {...adjusting}
      tool={{ ...adjusting.tool, feature: 'prompt', upstreamName: 'plan_week', isAdjusted: false }}
      server={{
        name: 'plan_week',
        title: undefined,
        description: 'Plans a week.',
        cost: undefined,
        kind: undefined,
        json: '{\n  "name": "plan_week"\n}',
      }}
      apps={{
        name: 'plan_week',
        title: undefined,
        description: 'Plans a week.',
        cost: undefined,
        kind: undefined,
        json: '{\n  "name": "plan_week"\n}',
      }}
      saved={{ name: '', title: '', description: '', kind: '' }}
      fields={[]}
    />
  ),
  'consent-features': <ConsentPage {...asking} {...firstTime} tools={[...few, ...others.map((item, at) => consentRow(item, at))]} />,
  'consent-features-again': (
    <ConsentPage
      {...claude}
      {...again}
      earlier={{
        ...again.earlier,
        added: ['get_issue', 'prompt summarize_issue', 'every resource of Linear', `file:///srv/${LONG}/${LONG}`],
      }}
      searchCost={380}
      tools={[...few, ...others.slice(0, 3).map((item, at) => consentRow(item, at, at !== 1))]}
    />
  ),
  'consent-full': <ConsentPage {...asking} {...firstTime} tools={[...many, ...manyOthers.map((item, at) => consentRow(item, at))]} />,
  'consent-prompts': <ConsentPage {...asking} {...firstTime} tools={prompts.map((item, at) => consentRow(item, at))} />,
  'connection-full': <ConnectionPage shell={shell} connection={connection} tools={upstreamTools} others={manyOthers} usedBy={[]} />,
  'token-features': (
    <NewTokenPage
      shell={shell}
      profile={{ id: 'prf_1', title: 'Work', url: 'https://tools.example.org/mcp/work' }}
      several={false}
      tools={[...few, ...others.map((item, at) => consentRow(item, at))]}
    />
  ),
}
