/** Configuration files as their programs write them, and what becomes of them. */
import { describe, expect, test } from 'bun:test'
import { filledIn, hidesSecret, type Import, readImport } from '@/connections'

const read = (text: string | object): Import => {
  const result = readImport(typeof text === 'string' ? text : JSON.stringify(text))
  if ('problem' in result) throw new Error(result.problem)
  return result
}
const problemOf = (text: string | object): string => {
  const result = readImport(typeof text === 'string' ? text : JSON.stringify(text))
  return 'problem' in result ? result.problem : `read ${result.drafts.length}`
}
const first = (text: string | object) => {
  const [draft] = read(text).drafts
  if (!draft) throw new Error('nothing was read')
  return draft
}
const one = (server: unknown, key = 'one') => first({ mcpServers: { [key]: server } })

describe('[IMPORT-FORMATS]', () => {
  test('[IMPORT-FORMATS] Claude Desktop: programs with arguments and environment', () => {
    const { drafts, format } = read({
      mcpServers: {
        filesystem: { command: 'npx', args: ['-y', '@modelcontextprotocol/server-filesystem', '/srv/a b'] },
        'brave-search': { command: 'npx', args: ['-y', '@brave/brave-search-mcp-server'], env: { BRAVE_API_KEY: 'BSA123' } },
      },
      globalShortcut: 'Ctrl+Space',
    })
    expect(format).toBe('mcpServers')
    expect(drafts.map(({ name, connector, settings }) => [name, connector, settings])).toEqual([
      ['filesystem', 'stdio', { command: 'npx', args: ['-y', '@modelcontextprotocol/server-filesystem', '/srv/a b'] }],
      ['brave-search', 'stdio', { command: 'npx', args: ['-y', '@brave/brave-search-mcp-server'], env: { BRAVE_API_KEY: 'BSA123' } }],
    ])
  })

  test('[IMPORT-FORMATS] VS Code: comments, trailing commas, inputs', () => {
    const { drafts, variables } = read(`{
      // kept by hand
      "inputs": [{ "type": "promptString", "id": "linear-key", "description": "Linear // key", "password": true }],
      "servers": {
        "linear": { "type": "http", "url": "https://mcp.linear.app/mcp", "headers": { "Authorization": "Bearer \${input:linear-key}" }, },
        "io.github.github/github-mcp-server": { "type": "http", "url": "https://api.githubcopilot.com/mcp/", "gallery": true, "version": "0.13.0" },
        /* by name */ "git": { "type": "stdio", "command": "uvx", "args": ["mcp-server-git", "--repository", "\${workspaceFolder}"], "envFile": ".env" },
      },
    }`)
    expect(drafts.map(({ name, connector }) => [name, connector])).toEqual([
      ['linear', 'streamable-http'],
      ['io.github.github/github-mcp-server', 'streamable-http'],
      ['git', 'stdio'],
    ])
    expect(variables).toEqual([
      { name: 'input:linear-key', label: 'linear-key', description: 'Linear // key', value: undefined, isSecret: true },
      { name: 'workspaceFolder', label: 'workspaceFolder', description: undefined, value: undefined, isSecret: false },
    ])
    expect(drafts[2]?.warnings).toEqual(['Not taken over: envFile.'])
    expect(drafts.map(({ problem }) => problem)).toEqual([undefined, undefined, undefined])
    expect(filledIn(drafts[0]?.settings ?? {}, { 'input:linear-key': 'lin_1' })).toEqual({
      url: 'https://mcp.linear.app/mcp',
      headers: { Authorization: 'Bearer lin_1' },
    })
  })

  test('[IMPORT-FORMATS] VS Code settings.json and Claude Code with its projects', () => {
    expect(
      read({ 'editor.tabSize': 2, mcp: { inputs: [], servers: { docs: { url: 'https://learn.microsoft.com/api/mcp' } } } }).drafts,
    ).toHaveLength(1)
    const claude = read({
      mcpServers: { sentry: { type: 'http', url: 'https://mcp.sentry.dev/mcp' } },
      projects: {
        '/srv/noor/shop': { mcpServers: { db: { type: 'stdio', command: 'uvx', args: ['mcp-server-sqlite'], env: {} } } },
        '/tmp': {},
      },
    })
    expect(claude.drafts.map(({ name }) => name)).toEqual(['sentry', 'db'])
    expect(claude.notes).toEqual(['Some are of the project /srv/noor/shop.'])
  })

  test('[IMPORT-FORMATS] Cursor and Windsurf: addresses without a type, serverUrl, variables of the environment', () => {
    const { drafts, variables } = read({
      mcpServers: {
        figma: { serverUrl: 'https://mcp.figma.com/mcp', headers: { 'X-Region': 'eu' }, disabledTools: ['a'] },
        square: { url: 'https://mcp.squareup.com/sse' },
        off: { url: 'https://off.example/mcp', disabled: true, headers: { Authorization: `Bearer \${env:OFF_TOKEN:-none}` } },
      },
    })
    expect(drafts.map(({ connector, isOff }) => [connector, isOff])).toEqual([
      ['streamable-http', false],
      ['sse', false],
      ['streamable-http', true],
    ])
    expect(drafts[0]?.warnings).toEqual(['Not taken over: disabledTools.'])
    expect(variables).toEqual([{ name: 'env:OFF_TOKEN', label: 'OFF_TOKEN', description: undefined, value: 'none', isSecret: true }])
  })

  test('[IMPORT-FORMATS] Codex: TOML with headers from the environment', () => {
    const { drafts, variables, format } = read(`
      model = "gpt-5"
      [mcp_servers.context7]
      command = "npx"
      args = ["-y", "@upstash/context7-mcp"]
      env = { LOG = "1" }
      env_vars = ["CONTEXT7_API_KEY"]
      startup_timeout_sec = 20

      [mcp_servers.figma]
      url = "https://mcp.figma.com/mcp"
      bearer_token_env_var = "FIGMA_TOKEN"
      http_headers = { "X-Figma-Region" = "us-east-1" }
      env_http_headers = { "X-Team" = "FIGMA_TEAM" }
      enabled = false
    `)
    expect(format).toBe('Codex')
    expect(drafts[0]?.settings).toEqual({
      command: 'npx',
      args: ['-y', '@upstash/context7-mcp'],
      env: { LOG: '1', CONTEXT7_API_KEY: `\${CONTEXT7_API_KEY}` },
    })
    expect(drafts[0]?.warnings).toEqual(['Not taken over: startup_timeout_sec.'])
    expect(drafts[1]?.settings).toEqual({
      url: 'https://mcp.figma.com/mcp',
      headers: { 'X-Figma-Region': 'us-east-1', 'X-Team': `\${FIGMA_TEAM}`, Authorization: `Bearer \${FIGMA_TOKEN}` },
    })
    expect(drafts[1]?.isOff).toBe(true)
    expect(variables.map(({ name, isSecret }) => [name, isSecret])).toEqual([
      ['CONTEXT7_API_KEY', true],
      ['FIGMA_TEAM', false],
      ['FIGMA_TOKEN', true],
    ])
  })

  test('[IMPORT-FORMATS] Zed, Gemini, OpenCode, and a bare list', () => {
    const zed = read({
      context_servers: {
        old: { command: { path: 'node', args: ['server.js'], env: { A: 'b' } }, settings: {} },
        new: { source: 'custom', command: 'uvx', args: ['mcp-server-time'] },
      },
    })
    expect(zed.drafts.map(({ settings }) => settings)).toEqual([
      { command: 'node', args: ['server.js'], env: { A: 'b' } },
      { command: 'uvx', args: ['mcp-server-time'] },
    ])
    expect(one({ httpUrl: 'https://gemini.example/sse', trust: true })).toMatchObject({
      connector: 'streamable-http',
      warnings: ['Not taken over: trust.'],
    })
    const open = first({ mcp: { local: { type: 'local', command: ['bun', 'x', 'thing'], environment: { K: 'v' }, enabled: true } } })
    expect(open.settings).toEqual({ command: 'bun', args: ['x', 'thing'], env: { K: 'v' } })
    expect(first({ deepwiki: { url: 'https://mcp.deepwiki.com/mcp' } }).name).toBe('deepwiki')
  })

  test('[IMPORT-FORMATS] mcp-remote becomes the address it stands for; a Windows shell is left out', () => {
    const bridged = one({
      command: 'cmd',
      args: ['/c', 'npx', '-y', 'mcp-remote@latest', 'https://mcp.linear.app/sse', '--header', `Authorization:\${AUTH}`],
      env: { AUTH: 'Bearer lin_2' },
    })
    expect(bridged).toMatchObject({
      connector: 'sse',
      settings: { url: 'https://mcp.linear.app/sse', headers: { Authorization: 'Bearer lin_2' } },
    })
    expect(bridged.warnings[0]).toContain('mcp-remote is not needed')
    expect(one({ command: 'npx mcp-remote https://mcp.webflow.com/mcp' })).toMatchObject({ connector: 'streamable-http' })
    expect(one({ command: 'cmd', args: ['/c', 'npx', '-y', 'thing'] }).settings).toEqual({ command: 'npx', args: ['-y', 'thing'] })
  })
})

describe('[ABUSE-56]', () => {
  test('[ABUSE-56] what is no configuration is refused with the reason', () => {
    const table: [string | object, string][] = [
      ['', 'nothing in it'],
      ['PK\u0003\u0004rest of an archive', 'archive'],
      ['\u001f\ufffd\u0008compressed', 'archive'],
      ['\u0000\u0001\u0002', 'no text file'],
      [`{"mcpServers":${'{"a":'.repeat(200)}1${'}'.repeat(200)}}`, 'nested too deeply'],
      [`a = ${'['.repeat(5000)}`, 'nested too deeply'],
      [`${'a.'.repeat(5000)}a = 1`, 'nested too deeply'],
      [`{"mcpServers": {"a": "${'x'.repeat(300_000)}"}}`, '256 KB'],
      ['{"mcpServers": {"a": ', 'cannot be read'],
      ['just some words', 'neither JSON nor TOML'],
      ['[1, 2, 3]', 'neither JSON nor TOML'],
      [{ hello: 'world' }, 'No servers were found'],
      [{ mcpServers: {} }, 'empty'],
      [{ mcpServers: [] }, 'No servers were found'],
      [
        { mcpServers: Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`s${at}`, { url: 'https://a.example' }])) },
        '100 can be imported',
      ],
    ]
    for (const [text, part] of table)
      expect([String(JSON.stringify(text)).slice(0, 60), problemOf(text)]).toEqual([expect.any(String), expect.stringContaining(part)])
  })

  test('[ABUSE-56] a server that is none is named, and the others stay', () => {
    const table: [string, unknown, string][] = [
      ['../../etc/passwd', { url: 'https://a.example/mcp' }, '../'],
      ['up\\..\\..', { command: 'x' }, '../'],
      ['climbs', { command: '../../bin/sh' }, 'leads out of its folder'],
      ['text', 'https://a.example', 'no description'],
      ['list', [], 'no description'],
      ['none', { headers: {} }, 'neither an address nor a command'],
      ['script', { url: 'javascript:alert(1)' }, 'no http or https'],
      ['file', { url: 'file:///etc/passwd' }, 'no http or https'],
      ['user', { url: 'https://me:pw@a.example/mcp' }, 'user name or password'],
      ['args', { command: 'npx', args: [{ a: 1 }] }, 'no text'],
      ['env', { command: 'npx', env: 'A=b' }, 'no list of names'],
      ['empty', { command: '' }, 'no text'],
      ['\u202e\u200b', { url: 'https://a.example' }, 'no name'],
    ]
    const { drafts } = read({ mcpServers: { ...Object.fromEntries(table), good: { url: 'https://good.example/mcp' } } as object })
    expect(drafts.at(-1)).toMatchObject({ name: 'good', problem: undefined })
    const byShape = read({ mcpServers: Object.fromEntries(table.map(([key, server]) => [key, server])) }).drafts
    expect(byShape.map(({ problem }, at) => [table[at]?.[0], problem])).toEqual(
      table.map(([key, , part]) => [key, expect.stringContaining(part)]),
    )
  })

  test('[ABUSE-56] prototypes and hostile numbers of commas change nothing', () => {
    const { drafts } = read('{"mcpServers":{"__proto__":{"url":"https://evil.example"},"a":{"url":"https://a.example/mcp"}}}')
    expect(drafts.map(({ key }) => key)).toEqual(['a'])
    const begun = performance.now()
    expect(problemOf(`{"mcpServers":{"a":{"args":[${'[1,],'.repeat(40_000)}]}}}`)).toContain('read 1')
    expect(performance.now() - begun).toBeLessThan(2_000)
  })
})

test('[IMPORT-SECRETS] arguments and addresses that seem to hold a secret are warned of', () => {
  expect(one({ command: 'npx', args: ['thing', '--api-key', 'sk-1'] }).warnings[0]).toContain('not sealed')
  expect(one({ command: 'npx', args: ['thing', `--api-key=\${KEY}`] }).warnings).toEqual([])
  expect(one({ url: 'https://a.example/mcp?api_key=1' }).warnings[0]).toContain('not sealed')
  expect(hidesSecret('sk-1', '--token')).toBe(true)
  expect(hidesSecret('--port=1')).toBe(false)
})
