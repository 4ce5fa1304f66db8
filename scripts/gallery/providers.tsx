/** Accounts at providers: set up by administrators, signed in to by each user, chosen for a connection. */
import type { Html } from '@views/jsx-runtime'
import { AccountSignInPage, type AccountSummary, AccountsPage } from '@views/accounts.tsx'
import { ConnectionPage } from '@views/connection.tsx'
import type { ConnectionAccountProps } from '@views/connection-account.tsx'
import { ProviderPage, type ProviderSummary, ProvidersPage } from '@views/providers.tsx'
import { connection, DAY, edit, EVIL, LONG, member, now, shell, toasted, upstreamTools } from './samples.ts'

const summaries: readonly ProviderSummary[] = [
  {
    id: 'github',
    title: 'GitHub',
    description: 'Accounts at github.com, by an OAuth app or a GitHub App that you register there.',
    isSetUp: true,
    accounts: 12,
  },
  {
    id: 'google',
    title: 'Google',
    description: 'Google accounts: Gmail, Calendar, Drive and the rest of Workspace.',
    isSetUp: false,
    accounts: 0,
  },
  { id: 'oauth', title: EVIL, description: LONG, isSetUp: true, accounts: 1 },
]
const schema = {
  type: 'object',
  properties: {
    clientId: { type: 'string', title: 'Client id' },
    clientSecret: { type: 'string', title: 'Client secret', secret: true },
    tenant: {
      type: 'string',
      title: 'Tenant',
      description: 'Whose accounts may sign in: “common” for all, or one tenant.',
      default: 'common',
    },
  },
  required: ['clientId'],
} as const
const github = { id: 'github', title: 'GitHub' }
const accounts: readonly AccountSummary[] = [
  {
    ...{ id: 'crd_1', provider: github, name: 'kim', state: 'ok', problem: null, expiresAt: null, isRenewed: false },
    connections: [
      { id: 'con_1', name: 'GitHub tools' },
      { id: 'con_2', name: 'Issues API' },
    ],
  },
  {
    ...{
      id: 'crd_2',
      provider: { id: 'google', title: 'Google' },
      name: 'kim@example.org',
      state: 'ok',
      problem: null,
      expiresAt: now + DAY,
      isRenewed: true,
    },
    connections: [],
  },
  {
    ...{
      id: 'crd_3',
      provider: { id: 'oauth', title: EVIL },
      name: LONG,
      state: 'failing',
      problem: 'The sign-in could not be renewed; Toolpass keeps trying.',
      expiresAt: now + DAY,
      isRenewed: true,
    },
    connections: [{ id: 'con_3', name: LONG }],
  },
  {
    ...{
      id: 'crd_4',
      provider: { id: 'atlassian', title: 'Atlassian' },
      name: null,
      state: 'dead',
      problem: 'The server no longer accepts this sign-in. Sign in again.',
      expiresAt: now - DAY,
      isRenewed: true,
    },
    connections: [],
  },
]
const offered = summaries.map(({ id, title }) => ({ id, title }))
const about: ConnectionAccountProps = {
  ...{ connectionId: 'con_1', mark: 'm', mayChange: true, providers: [github, { id: 'google', title: 'Google' }] },
  places: [{ value: 'header', label: 'A header of each request', wants: 'name-and-format' }],
}
const use: NonNullable<ConnectionAccountProps['use']> = {
  ...{
    provider: github,
    place: 'the header Authorization',
    isOwn: true,
    accounts: [
      { id: 'crd_1', name: 'kim' },
      { id: 'crd_9', name: 'kim-at-work' },
    ],
  },
  account: { id: 'crd_1', name: 'kim', state: 'ok', problem: null, expiresAt: now + DAY, isRenewed: true },
}
const page = { connection, tools: upstreamTools.slice(0, 2), others: [], usedBy: [] }

export const providersPages: Record<string, Html> = {
  providers: <ProvidersPage shell={toasted} providers={summaries} />,
  provider: (
    <ProviderPage
      shell={shell}
      provider={{ ...(summaries[0] as ProviderSummary), registerAt: 'https://github.com/settings/developers' }}
      callback="https://tools.example.org/connections/accounts/github/callback"
      schema={schema}
      saved={{ 'settings.clientId': 'Iv1.8a61f9b3a7aba766', 'settings.tenant': 'common' }}
      sealed={['clientSecret']}
    />
  ),
  accounts: <AccountsPage shell={shell} accounts={accounts} providers={offered} isAdmin={true} />,
  'accounts-none': <AccountsPage shell={{ ...shell, viewer: member.viewer }} accounts={[]} providers={[]} isAdmin={false} />,
  'account-sign-in': (
    <AccountSignInPage
      shell={shell}
      provider={github}
      scopes={[
        { name: 'read:user', description: 'Read your profile', on: true },
        { name: 'repo', description: 'Read and write all your repositories, private ones too', on: false },
        { name: 'https://www.googleapis.com/auth/calendar.events', description: 'See and change events in your calendars', on: true },
        { name: LONG, description: EVIL, on: false },
      ]}
      always={['offline_access']}
      more=""
      connection={{ id: 'con_1', name: 'GitHub tools', leadsTo: 'api.githubcopilot.com/mcp', mark: 'm' }}
    />
  ),
  'connection-account': <ConnectionPage shell={shell} {...page} account={{ ...about, use }} edit={edit} />,
  'connection-account-none': (
    <ConnectionPage shell={shell} {...page} account={{ ...about, mayChange: false, use: { ...use, account: undefined, accounts: [] } }} />
  ),
  'connection-account-offer': (
    <ConnectionPage
      shell={shell}
      {...page}
      account={{ ...about, places: [...about.places, { value: 'setting:credentials', label: 'An entry of “Credentials”', wants: 'name' }] }}
      edit={edit}
    />
  ),
}
