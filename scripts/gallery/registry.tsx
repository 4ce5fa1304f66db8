/** The registry's pages: clients as administrators and members see them, and access tokens. */
import { ClientPage } from '@views/client.tsx'
import { ClientMadePage, NewClientPage } from '@views/client-new.tsx'
import { type ClientSummary, ClientsPage } from '@views/clients.tsx'
import type { Html } from '@views/jsx-runtime'
import { OwnClientsPage } from '@views/own-clients.tsx'
import { NewTokenPage, TokenMadePage, TokenProfilePage, type TokenSummary, TokensPage } from '@views/tokens.tsx'
import { DAY, EVIL, few, holding, LONG, member, now, shell, toasted } from './samples.ts'

const client = (id: number, more: Partial<ClientSummary>): ClientSummary => ({
  id: `cli_${id}`,
  name: 'Claude Code',
  kind: 'document',
  verification: 'metadata document at claude.ai',
  state: 'admitted',
  redirectHosts: ['localhost', '127.0.0.1'],
  createdAt: now - id * 9 * DAY,
  lastUsedAt: now - id * 3_600_000,
  users: 4,
  apps: 7,
  ...more,
})
const clients: readonly ClientSummary[] = [
  client(1, {}),
  client(2, {
    name: 'Cursor',
    kind: 'dynamic',
    verification: 'registered itself',
    state: 'waits',
    redirectHosts: ['cursor:', 'www.cursor.com', 'localhost:8787'],
    users: 0,
    apps: 0,
    lastUsedAt: null,
  }),
  client(3, {
    name: 'Our dashboard',
    kind: 'registered',
    verification: 'registered by an administrator',
    redirectHosts: ['app.example.org'],
  }),
  client(4, {
    name: `${EVIL} ${LONG}`.slice(0, 80),
    kind: 'dynamic',
    verification: 'registered itself',
    state: 'blocked',
    redirectHosts: [`claude.ai.${LONG}.evil.example`],
    users: 1,
    apps: 1,
  }),
  client(5, { name: 'Nightly report', kind: 'script', verification: 'access token of noor', redirectHosts: [], users: 1, apps: 1 }),
  client(6, { name: '', kind: 'dynamic', verification: 'registered itself', state: 'not-listed', users: 0, apps: 0, lastUsedAt: null }),
]
const [first, second] = clients as [ClientSummary, ClientSummary]

const tokens: readonly TokenSummary[] = [
  {
    id: 'grt_8',
    name: 'Nightly report',
    profile: 'Work',
    holds: holding(3, 2),
    status: 'active',
    createdAt: now - 4 * DAY,
    lastUsedAt: now - 3_600_000,
    expiresAt: now + 26 * DAY,
  },
  {
    id: 'grt_9',
    name: `${EVIL}${LONG}`.slice(0, 60),
    profile: LONG,
    holds: holding(140, 2),
    status: 'expired',
    createdAt: now - 40 * DAY,
    lastUsedAt: null,
    expiresAt: now - 10 * DAY,
  },
  {
    id: 'grt_a',
    name: 'Home automation',
    profile: 'Home',
    holds: holding(1, 2),
    status: 'revoked',
    createdAt: now - 90 * DAY,
    lastUsedAt: now - 80 * DAY,
    expiresAt: null,
  },
]
const SECRET = 'tpa_Zk3vN0xQ8y1cB7rT5wL2mJ9pD4sF6hGaKeUiOqXnYzC'
const CURL = `TOOLPASS_TOKEN='${SECRET}'
curl -sS https://tools.example.org/mcp/work \\
  -H "Authorization: Bearer $TOOLPASS_TOKEN" \\
  -H 'Content-Type: application/json' \\
  -d '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'`

export const registryPages: Record<string, Html> = {
  'clients-empty': <ClientsPage shell={shell} clients={[]} total={0} filter={{}} filtered={false} waiting={0} policy="everyone" />,
  clients: (
    <ClientsPage
      shell={toasted}
      clients={clients}
      total={61}
      filter={{}}
      filtered={false}
      waiting={1}
      policy="approved"
      laterHref="/admin/clients?page=2"
    />
  ),
  'clients-none': (
    <ClientsPage
      shell={shell}
      clients={[]}
      total={0}
      filter={{ q: 'nothing', kind: 'document', state: 'blocked' }}
      filtered={true}
      waiting={1}
      policy="listed"
    />
  ),
  client: (
    <ClientPage
      control={{ apps: 3, users: 2, paused: undefined }}
      shell={shell}
      client={{
        ...first,
        identifier: 'https://claude.ai/oauth/claude-code-client-metadata',
        redirectUris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
        authentication: 'nothing: it runs on people’s own machines',
        createdFrom: '203.0.113.5',
        approvedAt: now - 3 * DAY,
        blockedAt: null,
        expiresAt: null,
        fetchedAt: now - 1_200_000,
        knownAs: 'Claude Code',
      }}
      users={[
        { username: 'kim', apps: 3, lastUsedAt: now - 60_000 },
        { username: LONG.slice(0, 64), apps: 4, lastUsedAt: null },
        { username: 'noor', apps: 0, lastUsedAt: now - 40 * DAY },
      ]}
    />
  ),
  'client-waiting': (
    <ClientPage
      control={{ apps: 0, users: 0, paused: { kind: 'client', own: false, byName: 'ada', at: now - DAY } }}
      shell={shell}
      client={{
        ...second,
        name: `${EVIL}${LONG}`,
        identifier: 'cli_0123456789abcdef',
        redirectUris: ['cursor://anysphere.cursor-mcp/oauth/callback', `https://claude.ai.${LONG}.evil.example/${LONG}`],
        authentication: 'a client secret',
        createdFrom: '2001:db8::5',
        approvedAt: null,
        blockedAt: null,
        expiresAt: now + 20 * DAY,
        fetchedAt: null,
      }}
      users={[]}
    />
  ),
  'client-new': (
    <NewClientPage
      shell={shell}
      form={{
        values: { name: 'Our dashboard', redirect_uris: 'http://app.example.org/callback', confidential: 'on' },
        errors: { redirect_uris: 'Line 1: http is for loopback addresses only.' },
      }}
      documentForm={{ values: { url: 'https://app.example.com/' }, errors: { url: 'It has no path.' } }}
    />
  ),
  'client-made': (
    <ClientMadePage
      shell={shell}
      client={{ id: 'cli_7', name: 'Our dashboard', identifier: 'cli_0123456789abcdef' }}
      secret="tps_Zk3vN0xQ8y1cB7rT5wL2mJ9pD4sF6hGaKeUiOqXnYzC"
    />
  ),
  'own-clients': (
    <OwnClientsPage
      shell={member}
      clients={clients.map((each, at) => ({
        ...each,
        apps: Array.from({ length: at * 2 }, (_, index) => ({
          id: `grt_${index}`,
          label: index === 1 ? LONG : 'Work laptop',
          alive: at !== 1,
        })),
      }))}
    />
  ),
  'own-clients-empty': <OwnClientsPage shell={member} clients={[]} />,
  'tokens-empty': <TokensPage shell={shell} tokens={[]} />,
  tokens: <TokensPage shell={shell} tokens={tokens} />,
  'token-profile': (
    <TokenProfilePage
      shell={shell}
      profiles={[
        { id: 'prf_1', title: 'Work', holds: holding(14, 2, 0, 1) },
        { id: 'prf_2', title: LONG, holds: holding(0) },
      ]}
    />
  ),
  'token-new': (
    <NewTokenPage
      shell={shell}
      profile={{ id: 'prf_1', title: 'Work', url: 'https://tools.example.org/mcp/work' }}
      several={true}
      tools={few}
      form={{ values: { name: '' }, errors: { name: 'Give it a name, so that you know later what uses it.' } }}
    />
  ),
  'token-new-empty': (
    <NewTokenPage
      shell={shell}
      profile={{ id: 'prf_1', title: 'Work', url: 'https://tools.example.org/mcp/work' }}
      several={false}
      tools={[]}
    />
  ),
  'token-made': (
    <TokenMadePage
      shell={shell}
      token={{ id: 'grt_8', name: 'Nightly report', secret: SECRET, profile: 'Work', expiresAt: now + 30 * DAY }}
      curl={CURL}
      configuration={JSON.stringify(
        {
          mcpServers: {
            work: { type: 'http', url: 'https://tools.example.org/mcp/work', headers: { Authorization: `Bearer ${SECRET}` } },
          },
        },
        null,
        2,
      )}
    />
  ),
}
