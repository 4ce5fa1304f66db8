/** What ships in the catalogue, and what an entry becomes. */
import { describe, expect, test } from 'bun:test'
import { type Entry, isEntry, missing, ownOf, readEntry, search, settingsOf, wayInOf, waysOf } from '@/catalogue'
import shipped from '@/catalogue/shipped.json' with { type: 'json' }

const read = (value: object): Entry => {
  const entry = readEntry({ name: 'com.example/thing', description: 'A thing.', ...value })
  if (!isEntry(entry)) throw new Error(entry.problem)
  return entry
}
const problemOf = (value: unknown) => {
  const entry = readEntry(value)
  return isEntry(entry) ? 'sound' : entry.problem
}

describe('shipped entries', () => {
  test('[CATALOGUE-SHIPPED] are sound, dated, sourced and unlike each other', () => {
    expect(shipped.length).toBeGreaterThanOrEqual(60)
    const names = new Set<string>()
    for (const value of shipped) {
      const entry = readEntry(value)
      if (!isEntry(entry)) throw new Error(`${value.name}: ${entry.problem}`)
      const own = ownOf(entry)
      expect([entry.name, own?.checked, own?.source]).toEqual([
        entry.name,
        expect.stringMatching(/^20\d\d-/),
        expect.stringMatching(/^https:/),
      ])
      // The limits of the registry's own schema.
      expect([entry.name, entry.description.length <= 100, (entry.title?.length ?? 101) <= 100]).toEqual([entry.name, true, true])
      expect(names.has(entry.name)).toBe(false)
      names.add(entry.name)
      for (const { url } of entry.remotes ?? []) expect([entry.name, new URL(url).protocol]).toEqual([entry.name, 'https:'])
      for (const way of waysOf(entry)) expect([entry.name, way.problem]).toEqual([entry.name, undefined])
      // A way in that is a key asks for it, and one that is open asks for nothing.
      const asks = waysOf(entry).flatMap(({ questions }) => questions.filter(({ isRequired, isSecret }) => isRequired && isSecret))
      if (wayInOf(entry) === 'key') expect([entry.name, asks.length > 0]).toEqual([entry.name, true])
      if (['open', 'oauth'].includes(wayInOf(entry))) expect([entry.name, asks]).toEqual([entry.name, []])
    }
  })

  test('[CATALOGUE-SHIPPED] cover each way in, and the servers that people ask for first', () => {
    const ways = new Set(shipped.map((value) => wayInOf(value as unknown as Entry)))
    expect([...ways].sort()).toEqual(['key', 'local', 'oauth', 'oauth-registered', 'open'])
    const titles = shipped.map(({ title }) => title).join('\n')
    for (const title of [
      'GitHub',
      'Linear',
      'Notion',
      'Slack',
      'Atlassian',
      'Figma',
      'Vercel',
      'Sentry',
      'Stripe',
      'DeepWiki',
      'Filesystem',
      'Git',
      'Zapier',
    ])
      expect(titles).toContain(title)
  })
})

describe('an entry', () => {
  test('[CATALOGUE-WAYS] with a remote becomes an address with headers', () => {
    const entry = read({
      remotes: [
        {
          type: 'streamable-http',
          url: 'https://{region}.example.com/mcp/{team}',
          variables: { region: { default: 'eu', choices: ['eu', 'us'] }, team: { description: 'Your team' } },
          headers: [
            { name: 'Authorization', value: 'Bearer {token}', isRequired: true, variables: { token: { isSecret: true } } },
            { name: 'X-Debug', description: 'Log more' },
            { name: 'X-Fixed', value: 'yes' },
          ],
        },
      ],
    })
    const [way] = waysOf(entry)
    if (!way) throw new Error('no way')
    expect(way.questions.map(({ key, isRequired, isSecret }) => [key, isRequired, isSecret])).toEqual([
      ['url.region', true, false],
      ['url.team', true, false],
      ['header.Authorization.token', true, true],
      ['header.X-Debug', false, false],
    ])
    expect(missing(way, {}).map(({ key }) => key)).toEqual(['url.team', 'header.Authorization.token'])
    expect(settingsOf(entry, way.id, { 'url.team': 'a/../b', 'header.Authorization.token': 't1' })).toEqual({
      connector: 'streamable-http',
      settings: { url: 'https://eu.example.com/mcp/a%2F..%2Fb', headers: { Authorization: 'Bearer t1', 'X-Fixed': 'yes' } },
    })
    // Half a header says nothing.
    expect(settingsOf(entry, way.id, { 'url.team': 'a' })?.settings['headers']).toEqual({ 'X-Fixed': 'yes' })
    expect(settingsOf(entry, 'remote-7', {})).toBeUndefined()
  })

  test('[CATALOGUE-WAYS] with a package becomes a command; no secret stands on a command line of docker', () => {
    const args = [
      { type: 'positional', valueHint: 'folder', isRequired: true, isRepeated: true },
      { type: 'named', name: '--mode', default: 'read' },
      { type: 'named', name: '--quiet', format: 'boolean', value: 'true' },
      { type: 'named', name: '--never', format: 'boolean', default: 'false' },
    ]
    const environmentVariables = [{ name: 'API_KEY', isSecret: true, isRequired: true }]
    const entry = read({
      packages: [
        { registryType: 'npm', identifier: '@a/b', version: '1.2.3', packageArguments: args, environmentVariables },
        { registryType: 'pypi', identifier: 'c', version: '2.0' },
        { registryType: 'oci', identifier: 'ghcr.io/a/b:1', environmentVariables },
        { registryType: 'mcpb', identifier: 'https://a.example/b.mcpb' },
        { registryType: 'npm', identifier: 'web', transport: { type: 'streamable-http' } },
      ],
    })
    const answers = { 'argument.0': '/a b\n\n/c', 'env.API_KEY': 'k1' }
    expect(settingsOf(entry, 'package-0', answers)?.settings).toEqual({
      command: 'npx',
      args: ['-y', '@a/b@1.2.3', '/a b', '/c', '--mode', 'read', '--quiet'],
      env: { API_KEY: 'k1' },
    })
    expect(settingsOf(entry, 'package-1', {})?.settings).toEqual({ command: 'uvx', args: ['c==2.0'] })
    expect(settingsOf(entry, 'package-2', answers)?.settings).toEqual({
      command: 'docker',
      args: ['run', '-i', '--rm', '-e', 'API_KEY', 'ghcr.io/a/b:1'],
      env: { API_KEY: 'k1' },
    })
    expect(settingsOf(entry, 'package-3', {})).toBeUndefined()
    expect(waysOf(entry).map(({ problem }) => problem !== undefined)).toEqual([false, false, false, true, true])
  })

  test('[CATALOGUE-LOAD] of unknown origin is refused for what is wrong with it', () => {
    const remotes = [{ type: 'sse', url: 'https://a.example' }]
    const table: [unknown, string][] = [
      [{ name: 'com.example/a', description: 'x', remotes }, 'sound'],
      [{ name: 'com.example/a', description: 'x', remotes, $schema: 'x', _meta: { other: { any: 1 } }, later: true }, 'sound'],
      [{ name: 'com.example/a', description: 'x' }, 'neither an address nor a package'],
      [{ name: 'noslash', description: 'x', remotes }, 'name'],
      [{ name: 'com.example/../a', description: 'x', remotes }, 'name'],
      [{ name: 'com.example/a', remotes }, 'description'],
      [{ name: 'com.example/a', description: 'x', remotes: [{ type: 'sse', url: 'javascript:alert(1)' }] }, 'http'],
      [{ name: 'com.example/a', description: 'x', remotes: [{ type: 'ws', url: 'https://a.example' }] }, 'type'],
      [{ name: 'com.example/a', description: 'x'.repeat(100_000), remotes }, 'too large'],
      [null, 'no description of a server'],
      ['text', 'no description of a server'],
    ]
    for (const [value, part] of table)
      expect([JSON.stringify(value).slice(0, 80), problemOf(value)]).toEqual([expect.any(String), expect.stringContaining(part)])
  })

  test('[ABUSE-51] carries no link but http and https ones', () => {
    const meta = (more: object) => ({
      remotes: [{ type: 'sse', url: 'https://a.example' }],
      _meta: { 'io.toolpass/catalogue': { wayIn: 'open', ...more } },
    })
    const named = { name: 'com.example/a', description: 'x' }
    expect(problemOf({ ...named, ...meta({ links: [{ label: 'x', href: 'javascript:alert(1)' }] }) })).toContain('href')
    expect(problemOf({ ...named, ...meta({ source: 'data:text/html,x' }) })).toContain('source')
    // An unfit address beside the point is dropped, the entry stays.
    expect(read({ websiteUrl: 'javascript:alert(1)', ...meta({}) }).websiteUrl).toBeUndefined()
  })

  test('[CATALOGUE-FIND] is found by all words, a title that begins so first', () => {
    const listed = ['Git', 'GitHub', 'Legit'].map((title) => ({
      entry: read({ name: `com.example/${title.toLowerCase()}`, title, remotes: [{ type: 'sse', url: 'https://a.example' }] }),
      ...{ origin: 'own' as const, source: undefined, seenAt: undefined },
    }))
    expect(search(listed, { q: 'GIT' }).map(({ entry }) => entry.title)).toEqual(['Git', 'GitHub', 'Legit'])
    expect(search(listed, { q: 'thing github' }).map(({ entry }) => entry.title)).toEqual(['GitHub'])
    expect(search(listed, { wayIn: 'key' })).toEqual([])
  })
})
