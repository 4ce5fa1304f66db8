/**
 * What is publicly known of the clients that people use: how one adds a server there, what they can take, how they show
 * themselves. Hints for pages and for the doctor, gathered from documentation and sources on the given day; never a ground for
 * trust, since the same hosts serve clients that run on anybody's machine.
 */
type ConnectStep = {
  /** One sentence: what to do with it. Code stands between backticks. */
  steps: string
  copy?: { text: string; label: string; multiline?: boolean }
  /** An address that opens the client, or a page of its maker. */
  link?: { href: string; label: string }
  /** The same by another way, where the first is not let through. */
  otherLink?: { href: string; label: string }
}
/** What is to be connected: the name fits `^[a-z0-9-]+$`. */
export type ProfileToConnect = { name: string; title: string; url: string }
export type KnownClient = {
  id: string
  name: string
  /** Exact addresses of metadata documents. */
  documents: readonly string[]
  /** Exact redirect URIs, https or of an own scheme: a loopback address is anybody's. */
  redirects: readonly string[]
  /** From where it speaks to us. */
  reaches: 'internet' | 'network' | 'computer'
  toolsMax?: number
  /** Of the server's name, one separator and the tool's name together. */
  nameCharsMax?: number
  hints: readonly string[]
  /** Where this is written, and when it was looked at. */
  source: string
  checked: string
  connect: (profile: ProfileToConnect) => ConnectStep
}

const CHECKED = '2026-10-01'
const json = (value: unknown) => JSON.stringify(value, null, 2)
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64')
const part = encodeURIComponent
const file = (text: string, label: string) => ({ text, label, multiline: true })

export const KNOWN_CLIENTS: readonly KnownClient[] = [
  {
    id: 'claude-code',
    name: 'Claude Code',
    documents: ['https://claude.ai/oauth/claude-code-client-metadata'],
    redirects: [],
    reaches: 'computer',
    hints: ['Descriptions are cut at 2 KB and results at 25,000 tokens.', 'Its answer comes to a port that changes each time.'],
    source: 'https://code.claude.com/docs/en/mcp',
    checked: CHECKED,
    connect: ({ name, url }) => ({
      steps: `Run this in a terminal, then \`claude mcp login ${name}\` to sign in.`,
      copy: { text: `claude mcp add --transport http ${name} ${url}`, label: 'command' },
    }),
  },
  {
    id: 'claude',
    name: 'Claude',
    documents: ['https://claude.ai/oauth/mcp-oauth-client-metadata'],
    redirects: ['https://claude.ai/api/mcp/auth_callback', 'https://claude.com/api/mcp/auth_callback'],
    reaches: 'internet',
    hints: [
      'On the web, on the desktop and on the phone alike.',
      'It reaches port 443 of public addresses only, from its maker’s network.',
      'It waits about ten seconds for discovery, registration and token.',
      'A result may have 150,000 characters and take five minutes.',
    ],
    source: 'https://support.claude.com/en/articles/11503834-building-custom-connectors-via-remote-mcp-servers',
    checked: CHECKED,
    connect: ({ title, url }) => ({
      steps: 'Open this page of Claude, with the address filled in, and confirm.',
      link: {
        href: `https://claude.ai/customize/connectors?modal=add-custom-connector&connectorName=${part(title)}&connectorUrl=${part(url)}`,
        label: 'Add to Claude',
      },
    }),
  },
  {
    id: 'chatgpt',
    name: 'ChatGPT',
    documents: ['https://chatgpt.com/oauth/client.json'],
    redirects: ['https://chatgpt.com/connector_platform_oauth_redirect'],
    reaches: 'internet',
    hints: ['Needs developer mode in its settings.', 'It proves itself with a key (private_key_jwt) where that is offered.'],
    source: 'https://developers.openai.com/apps-sdk/build/auth',
    checked: CHECKED,
    connect: ({ url }) => ({
      steps: 'In Settings, under Apps and Connectors, switch developer mode on, choose Create, and paste this address.',
      copy: { text: url, label: 'address' },
    }),
  },
  {
    id: 'cursor',
    name: 'Cursor',
    documents: [],
    redirects: ['cursor://anysphere.cursor-mcp/oauth/callback', 'https://www.cursor.com/agents/mcp/oauth/callback'],
    reaches: 'computer',
    toolsMax: 40,
    nameCharsMax: 60,
    hints: ['About 40 tools at a time.', 'A tool is left out when its name and the server’s together are longer than 60 characters.'],
    source: 'https://cursor.com/docs/context/mcp',
    checked: CHECKED,
    connect: ({ name, url }) => ({
      steps: 'Let the link open Cursor, or put this into `.cursor/mcp.json`.',
      link: {
        href: `cursor://anysphere.cursor-deeplink/mcp/install?name=${part(name)}&config=${part(base64({ url }))}`,
        label: 'Install in Cursor',
      },
      copy: file(json({ mcpServers: { [name]: { url } } }), '.cursor/mcp.json'),
    }),
  },
  {
    id: 'vscode',
    name: 'VS Code',
    documents: ['https://vscode.dev/oauth/client-metadata.json'],
    redirects: ['https://vscode.dev/redirect'],
    reaches: 'computer',
    toolsMax: 128,
    hints: ['With GitHub Copilot: 128 tools in one request.', 'Its answer comes to port 33418 or to another one.'],
    source: 'https://code.visualstudio.com/docs/copilot/chat/mcp-servers',
    checked: CHECKED,
    connect: ({ name, url }) => ({
      steps: 'Let the link open VS Code, or put this into `.vscode/mcp.json`.',
      link: { href: `vscode:mcp/install?${part(JSON.stringify({ name, type: 'http', url }))}`, label: 'Install in VS Code' },
      otherLink: {
        href: `https://insiders.vscode.dev/redirect/mcp/install?name=${part(name)}&config=${part(JSON.stringify({ type: 'http', url }))}`,
        label: 'Install by way of vscode.dev',
      },
      copy: file(json({ servers: { [name]: { type: 'http', url } } }), '.vscode/mcp.json'),
    }),
  },
  {
    id: 'codex',
    name: 'Codex CLI',
    documents: ['https://chatgpt.com/oauth/codex/client.json'],
    redirects: [],
    reaches: 'computer',
    hints: ['The path of its loopback address changes each time.'],
    source: 'https://developers.openai.com/codex/mcp',
    checked: CHECKED,
    connect: ({ name, url }) => ({
      steps: 'Run these in a terminal.',
      copy: file(`codex mcp add ${name} --url ${url}\ncodex mcp login ${name}`, 'commands'),
    }),
  },
  {
    id: 'copilot-cli',
    name: 'Copilot CLI',
    documents: [],
    redirects: [],
    reaches: 'computer',
    hints: ['It takes no dots in names.'],
    source: 'https://docs.github.com/en/copilot/how-tos/use-copilot-agents/use-copilot-cli',
    checked: CHECKED,
    connect: ({ name, url }) => ({
      steps: 'Put this into `~/.copilot/mcp-config.json`.',
      copy: file(json({ mcpServers: { [name]: { type: 'http', url, tools: ['*'] } } }), 'mcp-config.json'),
    }),
  },
  {
    id: 'gemini-cli',
    name: 'Gemini CLI',
    documents: [],
    redirects: [],
    reaches: 'computer',
    hints: [
      'Tools become mcp_SERVER_TOOL there; what is longer than about 63 characters is shortened in the middle.',
      'A server’s name has no underscore.',
    ],
    source: 'https://google-gemini.github.io/gemini-cli/docs/tools/mcp-server.html',
    checked: CHECKED,
    connect: ({ name, url }) => ({
      steps: `Run this in a terminal, then \`/mcp auth ${name}\` inside it.`,
      copy: { text: `gemini mcp add --transport http ${name} ${url}`, label: 'command' },
    }),
  },
  {
    id: 'antigravity',
    name: 'Antigravity',
    documents: [],
    redirects: [],
    reaches: 'computer',
    hints: ['Its key for the address is serverUrl.'],
    source: 'https://antigravity.google/docs/mcp',
    checked: CHECKED,
    connect: ({ name, url }) => ({
      steps: 'Put this into its MCP configuration.',
      copy: file(json({ mcpServers: { [name]: { serverUrl: url } } }), 'mcp_config.json'),
    }),
  },
  {
    id: 'windsurf',
    name: 'Windsurf',
    documents: [],
    redirects: [],
    reaches: 'computer',
    toolsMax: 100,
    hints: ['100 tools at a time.', 'Its key for the address is serverUrl.'],
    source: 'https://docs.windsurf.com/windsurf/cascade/mcp',
    checked: CHECKED,
    connect: ({ name, url }) => ({
      steps: 'Put this into `~/.codeium/windsurf/mcp_config.json`.',
      copy: file(json({ mcpServers: { [name]: { serverUrl: url } } }), 'mcp_config.json'),
    }),
  },
  {
    id: 'zed',
    name: 'Zed',
    documents: ['https://zed.dev/oauth/client-metadata.json'],
    redirects: [],
    reaches: 'computer',
    hints: ['It always names the resource that it asks for.'],
    source: 'https://zed.dev/docs/ai/mcp',
    checked: CHECKED,
    connect: ({ name, url }) => ({
      steps: 'Put this into its `settings.json`.',
      copy: file(json({ context_servers: { [name]: { url } } }), 'settings.json'),
    }),
  },
  {
    id: 'goose',
    name: 'Goose',
    documents: ['https://goose-docs.ai/oauth/client-metadata.json'],
    redirects: [],
    reaches: 'computer',
    hints: ['Its answer comes to a port that changes each time.'],
    source: 'https://goose-docs.ai/docs/getting-started/using-extensions',
    checked: CHECKED,
    connect: ({ name, title, url }) => ({
      steps: 'Let the link open Goose and confirm.',
      link: {
        href: `goose://extension?url=${part(url)}&type=streamable_http&id=${part(name)}&name=${part(title)}`,
        label: 'Install in Goose',
      },
    }),
  },
  {
    id: 'lm-studio',
    name: 'LM Studio',
    documents: [],
    redirects: [],
    reaches: 'computer',
    hints: ['Its answer comes to port 33389.'],
    source: 'https://lmstudio.ai/docs/app/mcp',
    checked: CHECKED,
    connect: ({ name, url }) => ({
      steps: 'Let the link open LM Studio and confirm.',
      link: { href: `lmstudio://add_mcp?name=${part(name)}&config=${part(base64({ url }))}`, label: 'Install in LM Studio' },
    }),
  },
  {
    id: 'opencode',
    name: 'OpenCode',
    documents: [],
    redirects: [],
    reaches: 'computer',
    hints: ['Its answer comes to port 19876.'],
    source: 'https://opencode.ai/docs/mcp-servers',
    checked: CHECKED,
    connect: ({ name, url }) => ({
      steps: 'Put this into `opencode.json`.',
      copy: file(json({ mcp: { [name]: { type: 'remote', url } } }), 'opencode.json'),
    }),
  },
  {
    id: 'open-webui',
    name: 'Open WebUI',
    documents: [],
    redirects: [],
    reaches: 'network',
    hints: ['It gives up after ten seconds of initialising.', 'Whether it names the resource is a setting there: leave it at auto.'],
    source: 'https://docs.openwebui.com/features/mcp',
    checked: CHECKED,
    connect: ({ url }) => ({
      steps: 'As an administrator there, add an external tool of the type MCP (Streamable HTTP) with OAuth, and paste this address.',
      copy: { text: url, label: 'address' },
    }),
  },
  {
    id: 'librechat',
    name: 'LibreChat',
    documents: [],
    redirects: [],
    reaches: 'network',
    hints: ['Its answer comes to /api/mcp/SERVER/oauth/callback of its own address.'],
    source: 'https://www.librechat.ai/docs/features/mcp',
    checked: CHECKED,
    connect: ({ name, url }) => ({
      steps: 'Put this into `librechat.yaml`.',
      copy: file(`mcpServers:\n  ${name}:\n    type: streamable-http\n    url: ${url}`, 'librechat.yaml'),
    }),
  },
  {
    id: 'n8n',
    name: 'n8n',
    documents: [],
    redirects: [],
    reaches: 'network',
    hints: ['It registers by itself.'],
    source: 'https://docs.n8n.io/integrations/builtin/cluster-nodes/sub-nodes/n8n-nodes-langchain.toolmcp',
    checked: CHECKED,
    connect: ({ url }) => ({
      steps: 'In the MCP Client Tool node choose HTTP Streamable and MCP OAuth2, and paste this address.',
      copy: { text: url, label: 'address' },
    }),
  },
  {
    id: 'mcp-remote',
    name: 'mcp-remote',
    documents: [],
    redirects: [],
    reaches: 'computer',
    hints: ['It gives up when the sign-in takes longer than 30 seconds: sign in to Toolpass in your browser first.'],
    source: 'https://github.com/geelen/mcp-remote',
    checked: CHECKED,
    connect: ({ name, url }) => ({
      steps: 'For an app that only starts programs: put this where it keeps its servers.',
      copy: file(json({ mcpServers: { [name]: { command: 'npx', args: ['-y', 'mcp-remote', url] } } }), 'mcp.json'),
    }),
  },
  {
    id: 'inspector',
    name: 'MCP Inspector',
    documents: [],
    redirects: [],
    reaches: 'computer',
    hints: ['Its answer comes to port 6274 or 6276.'],
    source: 'https://modelcontextprotocol.io/docs/tools/inspector',
    checked: CHECKED,
    connect: ({ url }) => ({
      steps: 'Run this in a terminal, then choose Connect in the page that opens.',
      copy: { text: `npx @modelcontextprotocol/inspector --server-url ${url} --transport http`, label: 'command' },
    }),
  },
]

/** A label and a hint: by the exact address of the document, else by the exact address that the answer goes to. */
export function knownClient(of: {
  kind: string
  identifier: string
  redirectUri?: string
}): { client: KnownClient; by: 'document' | 'redirect' } | undefined {
  const byDocument = of.kind === 'document' && KNOWN_CLIENTS.find(({ documents }) => documents.includes(of.identifier))
  if (byDocument) return { client: byDocument, by: 'document' }
  const { redirectUri } = of
  const byRedirect = redirectUri !== undefined && KNOWN_CLIENTS.find(({ redirects }) => redirects.includes(redirectUri))
  return byRedirect ? { client: byRedirect, by: 'redirect' } : undefined
}
