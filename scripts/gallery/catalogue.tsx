/** The catalogue's pages and the import, with made-up data. */
import { type CatalogueCard, CataloguePage } from '@views/catalogue.tsx'
import { CatalogueEntryPage, type CatalogueEntryPageProps } from '@views/catalogue-entry.tsx'
import { CatalogueEditPage, CatalogueManagePage } from '@views/catalogue-manage.tsx'
import { ImportDonePage, ImportPage, ImportPreviewPage, type ImportRow } from '@views/import.tsx'
import type { Html } from '@views/jsx-runtime'
import { DAY, EVIL, LONG, member, now, shell } from './samples.ts'

const card = (title: string, more: Partial<CatalogueCard>): CatalogueCard => ({
  name: `com.${title.toLowerCase().replace(/[^a-z]/g, '')}/mcp`,
  title,
  description: 'Issues, projects and cycles.',
  wayIn: 'oauth',
  place: 'mcp.example.com',
  oneClick: 'remote-0',
  added: [],
  ...more,
})
const cards: readonly CatalogueCard[] = [
  card('DeepWiki', { wayIn: 'open', place: 'mcp.deepwiki.com', description: 'Questions and answers about any public GitHub repository.' }),
  card('Linear', { place: 'mcp.linear.app', added: [{ id: 'con_1', name: 'Linear' }] }),
  card('GitHub', { wayIn: 'oauth-registered', place: 'api.githubcopilot.com', oneClick: undefined }),
  card('Google Maps', { wayIn: 'key', place: 'mapstools.googleapis.com', oneClick: undefined, description: 'Places, weather and routes.' }),
  card('Filesystem', {
    ...{ wayIn: 'local', oneClick: undefined, description: 'Reads and writes files in folders that you name.' },
    place: 'npx -y @modelcontextprotocol/server-filesystem',
  }),
  card(`${EVIL} ${LONG}`, { wayIn: 'unknown', place: LONG, description: `${EVIL} ${LONG} ${LONG}`, oneClick: undefined }),
  card('Notion', { place: 'mcp.notion.com', description: 'Pages, databases and comments of a Notion workspace.' }),
  card('7zip', { wayIn: 'open', place: 'z.example' }),
]
const counts = (['open', 'oauth', 'oauth-registered', 'key', 'local', 'unknown'] as const).map((way, at) => ({
  way,
  count: [13, 46, 8, 8, 21, 0][at] ?? 0,
}))

const github: CatalogueEntryPageProps = {
  shell,
  entry: {
    ...{ name: 'com.github/mcp', title: 'GitHub', description: 'Repositories, issues, pull requests and code search.', version: '1.0.0' },
    ...{
      wayIn: 'oauth-registered',
      scopes: ['repo', 'read:org'],
      origin: 'shipped',
      checked: '2026-11-24',
      source: 'https://docs.github.com/',
    },
    links: [{ label: 'Source code', href: 'https://github.com/github/github-mcp-server' }],
    warnings: ['GitHub registers no app by itself: enter a personal access token here, or register an OAuth app there first.'],
  },
  ways: [],
  chosen: undefined,
  name: 'GitHub',
  added: [],
}
const question = (key: string, more: object) => ({ key, label: key, isRequired: false, isSecret: false, isRepeated: false, ...more })
const byAddress = {
  ...{ id: 'remote-0', connector: 'Streamable HTTP', summary: 'https://api.githubcopilot.com/mcp/', runsHere: false },
  questions: [
    question('Authorization', {
      isSecret: true,
      description: 'A personal access token, instead of a registered OAuth app.',
      placeholder: 'github_pat_…',
    }),
  ],
}
const asProgram = {
  ...{ id: 'package-0', connector: 'Program', summary: 'npx -y @modelcontextprotocol/server-filesystem', runsHere: true },
  questions: [
    question('folder', {
      isRequired: true,
      isRepeated: true,
      description: 'A folder that it may read and write.',
      placeholder: '/srv/shared',
    }),
    question('MODE', { choices: ['read', 'write'], value: 'read' }),
  ],
}

const row = (at: number, key: string, more: Partial<ImportRow>): ImportRow => ({
  ...{ at, key, name: key, connector: 'Streamable HTTP', summary: 'https://mcp.linear.app/mcp', sealed: [], warnings: [], picked: true },
  ...more,
})
const rows: readonly ImportRow[] = [
  row(0, 'linear', { sealed: ['Authorization'] }),
  row(1, 'io.github.github/github-mcp-server', {
    warnings: ['You have it already, as “GitHub”.'],
    picked: false,
    summary: 'https://api.githubcopilot.com/mcp/',
  }),
  row(2, 'brave-search', {
    ...{ name: 'brave-search 2', connector: 'Program', sealed: ['BRAVE_API_KEY'] },
    summary: 'npx -y @brave/brave-search-mcp-server --api-key ••••',
    warnings: [
      'The name “brave-search” is taken.',
      'An argument seems to be a secret. Arguments are not sealed: use a variable of the environment if the program takes one.',
      'Not taken over: envFile, cwd.',
    ],
  }),
  row(3, '../../etc/passwd', { problem: 'Its name contains “../”. Give it another name in the file.', picked: false }),
  row(4, `${EVIL} ${LONG}`, { summary: `https://${LONG}.example/mcp?key=••••` }),
]
const variables = [
  { at: 0, label: 'linear-key', description: 'Linear API key', isSecret: true, usedBy: ['linear'] },
  { at: 1, label: 'workspaceFolder', isSecret: false, usedBy: ['git', 'filesystem'] },
]

export const cataloguePages: Record<string, Html> = {
  catalogue: <CataloguePage shell={shell} cards={cards} total={96} filter={{ q: '' }} counts={counts} laterHref="/catalogue?page=2" />,
  'catalogue-nothing': <CataloguePage shell={member} cards={[]} total={0} filter={{ q: 'zzz', way: 'key' }} counts={counts} />,
  'catalogue-entry': (
    <CatalogueEntryPage {...github} ways={[byAddress, asProgram]} chosen={byAddress} added={[{ id: 'con_1', name: 'GitHub' }]} />
  ),
  'catalogue-entry-program': (
    <CatalogueEntryPage
      {...github}
      entry={{
        ...github.entry,
        title: 'Filesystem',
        origin: 'registry',
        from: 'https://registry.example.com',
        seenAt: now - 2 * DAY,
        wayIn: 'local',
      }}
      ways={[asProgram]}
      chosen={asProgram}
      form={{ errors: { 'answer.folder': 'Enter folder.' } }}
    />
  ),
  'catalogue-entry-closed': (
    <CatalogueEntryPage
      {...github}
      shell={member}
      ways={[asProgram]}
      chosen={{ ...asProgram, problem: 'It runs a program on the machine of Toolpass. An administrator can add it, or allow you to.' }}
    />
  ),
  'catalogue-manage': (
    <CatalogueManagePage
      shell={shell}
      own={[{ name: 'com.example/warehouse', title: 'Warehouse' }]}
      counts={{ shipped: 96, own: 1, file: 0, registry: 212 }}
      registries={[
        { url: 'https://registry.example.com', syncedAt: now - 1_200_000, problem: null, entries: 212 },
        { url: 'https://other.example', syncedAt: null, problem: 'It answered with status 503.', entries: 0 },
      ]}
      report={{
        added: 12,
        kept: ['com.example/warehouse'],
        faulty: [{ name: EVIL, problem: 'It names neither an address nor a package.' }],
      }}
    />
  ),
  'catalogue-manage-empty': (
    <CatalogueManagePage
      shell={shell}
      own={[]}
      counts={{ shipped: 96, own: 0, file: 0, registry: 0 }}
      registries={[]}
      load={{ errors: { file: 'This is an archive. Unpack it, and choose the file in it.' } }}
    />
  ),
  'catalogue-edit': (
    <CatalogueEditPage
      shell={shell}
      entry={JSON.stringify(github.entry, null, 2)}
      form={{ errors: { entry: 'name: The name is not like com.example/server.' } }}
    />
  ),
  import: <ImportPage shell={shell} />,
  'import-refused': <ImportPage shell={shell} form={{ errors: { text: 'It looks like JSON, but cannot be read as such.' } }} />,
  'import-preview': (
    <ImportPreviewPage shell={shell} token="t" rows={rows} variables={variables} notes={['Some are of the project /srv/shop.']} />
  ),
  'import-done': (
    <ImportDonePage
      shell={shell}
      made={[{ id: 'con_1', name: 'linear' }]}
      refused={[{ name: 'brave-search 2', problem: 'Only an administrator can do this.' }]}
    />
  ),
}
