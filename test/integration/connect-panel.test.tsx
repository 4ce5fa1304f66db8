/** What is known of clients, and the lines and links that the connect panel makes of it. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { KNOWN_CLIENTS, knownClient } from '@/clients'
import { isLoopbackName } from '@/lib/url.ts'
import { waysInto } from '@/web/profile-facts.ts'
import { ConnectPanel } from '@views/profile-connect.tsx'
import { signedIn } from '../support/journey.ts'
import { type Running, setUp, startToolpass } from '../support/running.ts'

const HOSTILE = `Müller & "Söhne" <script>alert(1)</script> 'x' %26 + 🚀`
const PROFILE = { name: 'my-work', title: HOSTILE, url: 'https://tools.example.org:8443/a%20base/mcp/my-work?a=1&b=2' }
const { name, title, url } = PROFILE
const wayOf = (id: string) => waysInto(PROFILE, 'internet', []).find((way) => way.id === id)
const linkOf = (id: string) => new URL(wayOf(id)?.link?.href ?? '')
const fromBase64 = (text: string | null) => JSON.parse(Buffer.from(text ?? '', 'base64').toString())

describe('known clients', () => {
  const CLAUDE = 'https://claude.ai/oauth/claude-code-client-metadata'
  const document = (identifier: string, redirectUri?: string) =>
    knownClient({ kind: 'document', identifier, ...(redirectUri && { redirectUri }) })
  const dynamic = (redirectUri: string, identifier = 'cli_x') => knownClient({ kind: 'dynamic', identifier, redirectUri })

  test('[KNOWN-EXACT] are known by their document or by where the answer goes', () => {
    expect(document(CLAUDE)).toMatchObject({ client: { id: 'claude-code' }, by: 'document' })
    expect(dynamic('https://claude.com/api/mcp/auth_callback')).toMatchObject({ client: { id: 'claude' }, by: 'redirect' })
    expect(dynamic('cursor://anysphere.cursor-mcp/oauth/callback')).toMatchObject({ client: { id: 'cursor' }, by: 'redirect' })
    // Its document says more than the address that it picks.
    expect(document(CLAUDE, 'https://vscode.dev/redirect')).toMatchObject({ client: { id: 'claude-code' }, by: 'document' })
  })
  test('[KNOWN-EXACT] are not known by anything that is only like it', () => {
    const documents = [
      `${CLAUDE}/`,
      `${CLAUDE}?a`,
      `${CLAUDE}#a`,
      CLAUDE.toUpperCase(),
      CLAUDE.replace('https', 'http'),
      'https://claude.ai/x',
    ]
    for (const identifier of [...documents, CLAUDE.replace('claude.ai', 'claude.ai.evil.example'), ''])
      expect({ identifier, known: document(identifier) }).toEqual({ identifier, known: undefined })
    const redirects = ['https://claude.ai/', 'https://claude.ai/api/mcp/auth_callback/x', 'https://claude.ai/api/mcp/auth_callback?x=1']
    for (const redirectUri of [
      ...redirects,
      'https://claude.ai@evil.example/api/mcp/auth_callback',
      'cursor://evil',
      'http://vscode.dev/redirect',
    ])
      expect({ redirectUri, known: dynamic(redirectUri) }).toEqual({ redirectUri, known: undefined })
  })
  test('[KNOWN-EXACT] who registers under the address of a document is not known by it', () => {
    for (const kind of ['dynamic', 'preregistered', 'script']) expect(knownClient({ kind, identifier: CLAUDE })).toBeUndefined()
  })
  test('[KNOWN-EXACT] no loopback address is anybody in particular', () => {
    for (const uri of ['http://localhost/callback', 'http://localhost:8787/callback', 'http://127.0.0.1:33418/', 'http://[::1]:33418/'])
      expect({ uri, known: dynamic(uri) }).toEqual({ uri, known: undefined })
    const redirects = KNOWN_CLIENTS.flatMap((client) => client.redirects)
    expect(redirects.filter((uri) => isLoopbackName(new URL(uri).hostname) || uri.startsWith('http:'))).toEqual([])
  })
  test('[KNOWN-EXACT] each address stands for one client, and each fact says where it is from and when it was looked at', () => {
    const addresses = KNOWN_CLIENTS.flatMap(({ documents, redirects }) => [...documents, ...redirects])
    expect(new Set(addresses).size).toBe(addresses.length)
    expect(new Set(KNOWN_CLIENTS.map(({ id }) => id)).size).toBe(KNOWN_CLIENTS.length)
    for (const { id, source, checked, documents } of KNOWN_CLIENTS) {
      expect({ id, source, checked }).toEqual({
        id,
        source: expect.stringMatching(/^https:\/\//),
        checked: expect.stringMatching(/^20\d\d-[01]\d-[0-3]\d$/),
      })
      for (const address of documents) expect(new URL(address).href).toBe(address)
    }
  })
})

describe('install links', () => {
  test('[CONNECT-LINKS] of Cursor and LM Studio hold a name and a configuration in base64', () => {
    for (const [id, scheme] of [
      ['cursor', 'cursor:'],
      ['lm-studio', 'lmstudio:'],
    ] as const) {
      const link = linkOf(id)
      expect([link.protocol, link.searchParams.get('name'), fromBase64(link.searchParams.get('config'))]).toEqual([scheme, name, { url }])
    }
    expect(wayOf('cursor')?.link?.href).toStartWith('cursor://anysphere.cursor-deeplink/mcp/install?')
  })
  test('[CONNECT-LINKS] of VS Code hold its server as JSON, by its scheme and by its site', () => {
    const { href = '' } = wayOf('vscode')?.link ?? {}
    expect(href).toStartWith('vscode:mcp/install?')
    expect(JSON.parse(decodeURIComponent(href.slice('vscode:mcp/install?'.length)))).toEqual({ name, type: 'http', url })
    const other = new URL(wayOf('vscode')?.otherLink?.href ?? '')
    expect(other.origin + other.pathname).toBe('https://insiders.vscode.dev/redirect/mcp/install')
    expect(other.searchParams.get('name')).toBe(name)
    expect(JSON.parse(other.searchParams.get('config') ?? '')).toEqual({ type: 'http', url })
  })
  test('[CONNECT-LINKS] of Goose and Claude hold the title that its owner gave, whatever is in it', () => {
    expect(Object.fromEntries(linkOf('goose').searchParams)).toEqual({ url, type: 'streamable_http', id: name, name: title })
    const claude = linkOf('claude')
    expect(claude.origin + claude.pathname).toBe('https://claude.ai/customize/connectors')
    expect(Object.fromEntries(claude.searchParams)).toEqual({ modal: 'add-custom-connector', connectorName: title, connectorUrl: url })
  })
  test('[CONNECT-LINKS] nothing of a client is without the address', () => {
    for (const way of waysInto(PROFILE, 'internet', [])) {
      const shown = [way.copy?.text, way.link && fullyDecoded(way.link.href)].filter((text) => text !== undefined)
      expect({ id: way.id, shown: shown.length > 0 }).toEqual({ id: way.id, shown: true })
      for (const text of shown) expect({ id: way.id, text }).toEqual({ id: way.id, text: expect.stringContaining(url) })
    }
  })
  test('[CONNECT-LINKS] configuration files are JSON with the server under its name', () => {
    for (const { id, copy } of waysInto(PROFILE, 'internet', [])) {
      if (!copy?.text.startsWith('{')) continue
      const [servers] = Object.values(JSON.parse(copy.text) as Record<string, Record<string, unknown>>)
      expect({ id, names: Object.keys(servers ?? {}) }).toEqual({ id, names: [name] })
    }
  })
})

/** With base64 parts opened as well. */
const fullyDecoded = (href: string) =>
  decodeURIComponent(href).replace(/config=([\w+/=]+)/, (_, text: string) => Buffer.from(text, 'base64').toString())

describe('the panel', () => {
  const written = (reach: 'internet' | 'this-network' | 'this-computer', limits: Parameters<typeof waysInto>[2] = []) => {
    const ways = waysInto(PROFILE, reach, limits)
    return (<ConnectPanel profileId="prf_1" slug={name} url={url} reach={reach} ways={ways} waiting={{ state: 'waiting' }} />).text('/base')
  }
  test('[CONNECT-PAGE] writes a hostile title as text, and each link as it is', async () => {
    const html = written('internet')
    expect(html).not.toContain('<script')
    const links: string[] = []
    const rewriter = new HTMLRewriter().on('a', { element: (a) => void links.push(a.getAttribute('href') ?? '') })
    await rewriter.transform(new Response(html)).text()
    const expected = waysInto(PROFILE, 'internet', []).flatMap(({ link, otherLink }) =>
      [link, otherLink].filter((each) => each !== undefined),
    )
    expect(expected.length).toBeGreaterThan(5)
    for (const { href } of expected) expect(links.map(unescaped)).toContain(href)
    expect(links).toContain('/base/apps/tokens')
    expect(links.map(unescaped)).toContain(`/base/apps/doctor?profile=${name}&client=zed`)
  })
  test('[CONNECT-REACH] warns of clients that cannot come, and only of these', () => {
    const warned = (reach: Parameters<typeof written>[0]) =>
      waysInto(PROFILE, reach, [])
        .filter(({ warnings }) => warnings.length > 0)
        .map(({ id }) => id)
    expect(warned('internet')).toEqual([])
    expect(warned('this-network')).toEqual(['claude', 'chatgpt'])
    expect(warned('this-computer')).toEqual(['claude', 'chatgpt', 'open-webui', 'librechat', 'n8n'])
    expect(written('this-network')).toContain('ChatGPT comes from the internet and cannot reach this address.')
    expect(written('internet')).not.toContain('cannot reach')
  })
  test('[CONNECT-REACH] says where the profile is too large for a client', () => {
    const why = 'Cursor takes 40 tools; this profile has 41.'
    expect(written('internet', [{ client: 'Cursor', ok: false, why }])).toContain(why)
    expect(written('internet', [{ client: 'Cursor', ok: true, why }])).not.toContain(why)
  })
})

describe('the page of a profile', () => {
  let running: Running
  beforeAll(async () => {
    running = await startToolpass()
    await setUp(running)
  })
  afterAll(async () => {
    await running.stop()
    running.remove()
  })
  test('[CONNECT-PAGE] has a way in for every known client, each behind a radio button with a label', async () => {
    const person = await signedIn(running)
    const made = await person.submit(await person.open('/profiles'), '/profiles', { title: HOSTILE.slice(0, 60) })
    const { html } = made
    expect(html).not.toContain('<script>alert')
    const address = /<code>(http[^<]+\/mcp\/[a-z0-9-]+)<\/code>/.exec(html)?.[1] ?? ''
    expect(address).toStartWith(`${running.url}/mcp/`)
    for (const { id, name: client } of KNOWN_CLIENTS) {
      const [, input = ''] = new RegExp(`id="(connect(?:-others)?-${id})"`).exec(html) ?? []
      expect(html).toContain(`<label for="${input}">${client}</label>`)
    }
    expect(html).toContain(`claude mcp add --transport http ${address.split('/').at(-1)} ${address}`)
  })
})

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }
const unescaped = (text: string) => text.replace(/&(amp|lt|gt|quot|#39);/g, (_, entity: string) => ENTITIES[entity] ?? '')
