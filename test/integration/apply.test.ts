/** `toolpass apply` as a person or a pipeline calls it: a process of its own, on a Toolpass that runs and on one that does not. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createCommandLine } from '../support/command-line.ts'
import { type Person, signedIn } from '../support/journey.ts'
import { ADMIN, freePort, type Running, setUp, startToolpass } from '../support/running.ts'
import { type HttpUpstream, startModernUpstream } from '../support/upstreams.ts'

const ROOT = resolve(import.meta.dir, '../..')
const EVERYTHING = join(ROOT, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js')
const TOKEN = 'tok-3f9c1a-very-secret'
const KEY = 'key-77aa02-very-secret'

const { folder, put, run, remove } = createCommandLine()
const command = (dataDir: string, words: readonly string[], env: Record<string, string> = {}) =>
  run(dataDir, words, { MODERN_TOKEN: TOKEN, ...env })
put('key.txt', `${KEY}\n`)

let upstream: HttpUpstream
beforeAll(() => {
  upstream = startModernUpstream()
})
afterAll(async () => {
  await upstream.stop()
  remove()
})

type Parts = { title?: string; url?: string; tools?: string; more?: string }
const declaring = ({ title = 'Work', url = upstream.url, tools = "[echo, 's*']", more = '' }: Parts = {}) => `
users:
  - { username: mia, role: member }
connections:
  - owner: ${ADMIN.username}
    name: Modern
    connector: streamable-http
    settings: { url: '${url}' }
    secrets: { headers: { Authorization: { env: MODERN_TOKEN, prefix: 'Bearer ' } } }
    sharing: open
profiles:
  - owner: ${ADMIN.username}
    name: work
    title: ${title}
    tools:
      - { connection: Modern, tools: ${tools} }
  - owner: mia
    name: hers
    tools: [{ connection: Modern, owner: ${ADMIN.username}, kind: write }]
${more}`
const CLIENTS = `
clients:
  policy: approved
  registered:
    - { name: 'Nightly  report', redirect_uris: ['https://reports.example.com/callback'], confidential: true }
`

describe('on a Toolpass that runs', () => {
  let running: Running
  let ada: Person
  const apply = (text: string, ...flags: string[]) => command(running.dataDir, ['apply', put('house.yaml', text), ...flags])

  beforeAll(async () => {
    running = await startToolpass()
    await setUp(running)
    ada = await signedIn(running)
  })
  afterAll(async () => {
    await running.stop()
    running.remove()
  })
  const pageOf = async (list: string, text: string) => {
    const { html } = await ada.open(list)
    const [, path = ''] = new RegExp(`href="(/${list.slice(1)}/[a-z]{3}_[^"]*)"[^>]*>\\s*${text}`).exec(html) ?? []
    return path
  }

  test('[APPLY-DRY] a dry run prints names of fields and changes nothing', async () => {
    const { lines, out, status } = await apply(declaring({ more: CLIENTS }), '--dry-run')
    expect(status).toBe(0)
    expect(lines).toEqual([
      '+ user mia (role)',
      '+ client Nightly report (redirect_uris, confidential)',
      '~ clients (policy)',
      '+ connection ada/Modern (connector, settings.url, secrets.headers, sharing)',
      '+ profile ada/work (title, tools)',
      '+ profile mia/hers (tools)',
      '? profile ada/work: Modern has no tools echo, s*. It is not there yet.',
      'Nothing was changed (--dry-run).',
    ])
    expect(out).not.toContain(TOKEN)
    expect(upstream.seen).toEqual([])
    expect((await command(running.dataDir, ['user', 'list'])).out).not.toContain('mia')
    expect(readdirSync(running.dataDir)).not.toContain('applied.json')
  })

  test('[APPLY-DECLARES, APPLY-SECRETS] everything is made, its secret sealed and sent, its tools picked', async () => {
    const { out, lines, errors, status } = await apply(declaring({ more: CLIENTS }))
    expect([errors, status]).toEqual(['', 0])
    expect(lines.at(-1)).toBe('Done: 6 changes.')
    expect(out).toMatch(/mia chooses a password here .*\n\S+\/reset\?token=\S+/)
    expect(out).toMatch(/client ID: cli_\w+, client secret, shown this once: tps_\S+/)
    expect(out).not.toContain(TOKEN)
    expect(upstream.seen.every(({ headers }) => headers['authorization'] === `Bearer ${TOKEN}`)).toBe(true)
    const { html } = await ada.open(await pageOf('/profiles', 'Work'))
    expect([...html.matchAll(/<input[^>]*name="tool_id"[^>]*checked/g)]).toHaveLength(2)
    expect(running.output()).not.toContain(TOKEN)
    const stored = readdirSync(running.dataDir).filter((name) => name.includes('.db'))
    for (const name of stored) expect(readFileSync(join(running.dataDir, name), 'latin1')).not.toContain(TOKEN)
    expect(statSync(join(running.dataDir, 'applied.json')).mode & 0o777).toBe(0o600)
  })

  test('[APPLY-IDEMPOTENT] again there is nothing to do, and what was changed by hand is put back', async () => {
    expect((await apply(declaring({ more: CLIENTS }))).out).toBe('Nothing to do.\n')
    const path = await pageOf('/profiles', 'Work')
    const page = await ada.open(path)
    await ada.submit(page, path, { title: 'Play', description: 'by hand', naming: 'always' })
    await ada.submit(await ada.open('/profiles'), '/profiles', { title: 'Own' })
    const { lines } = await apply(declaring({ more: CLIENTS }))
    // Naming and description are not declared, so they are the user's.
    expect(lines).toEqual(['~ profile ada/work (title)', 'Done: 1 change.'])
    expect((await ada.open(path)).html).toContain('by hand')
    expect((await apply(declaring({ more: CLIENTS }))).out).toBe('Nothing to do.\n')
    expect(await pageOf('/profiles', 'Own')).not.toBe('')
  })

  test('[APPLY-IDEMPOTENT] a secret that differs is put anew; roles, redirect URIs and tools follow the file', async () => {
    const file = put('house.yaml', declaring({ more: CLIENTS }))
    const other = { MODERN_TOKEN: 'another-token-0000' }
    const dry = await command(running.dataDir, ['apply', file, '--dry-run'], other)
    expect(dry.lines[0]).toBe('~ connection ada/Modern (secrets.headers)')
    expect(dry.out).not.toContain('another-token')
    upstream.seen.length = 0
    expect((await command(running.dataDir, ['apply', file], other)).status).toBe(0)
    expect(new Set(upstream.seen.map(({ headers }) => headers['authorization']))).toEqual(new Set(['Bearer another-token-0000']))

    const changed = declaring({ tools: '[ask]', more: CLIENTS }).replace('role: member', 'role: admin').replace('/callback', '/elsewhere')
    const { lines } = await apply(changed)
    expect(lines).toEqual([
      '~ user mia (role)',
      '~ client Nightly report (redirect_uris)',
      '~ connection ada/Modern (secrets.headers)',
      '~ profile ada/work (tools +1 -2)',
      'Done: 4 changes.',
    ])
    expect((await command(running.dataDir, ['user', 'list'])).out).toMatch(/mia\s+admin/)
    expect((await apply(declaring({ more: CLIENTS }))).status).toBe(0)
  })

  test('[APPLY-DOWN] a server that is down: the rest is made, what is missing is named, the status is 1', async () => {
    const port = await freePort()
    const down = `  - { owner: mia, name: later, title: Later, tools: [{ connection: Down, tools: [one] }, { connection: Modern, owner: ada, tools: [echo, nowhere] }] }\n`
    const connection = `  - { owner: mia, name: Down, connector: streamable-http, settings: { url: 'http://127.0.0.1:${port}/mcp' } }\n`
    const text = declaring().replace('profiles:\n', `${connection}profiles:\n`) + down
    const { lines, errors, status } = await apply(text.replace('role: member', 'role: admin'))
    expect(status).toBe(1)
    expect(lines).toContain('+ profile mia/later (title, tools)')
    expect(lines.find((line) => line.startsWith('! profile mia/later: Down has no tool one. '))).toBeDefined()
    expect(lines).toContain('! profile mia/later: Modern has no tool nowhere.')
    expect(errors).toContain('Not everything could be made as declared')
  })

  test('[APPLY-PRUNE] removes what apply made and the file no longer names, after a yes, and nothing else', async () => {
    const asked = await apply(declaring(), '--prune')
    expect(asked.status).toBe(1)
    expect(asked.lines).toEqual(['- profile mia/later', '- connection mia/Down', '- client Nightly report'])
    expect(asked.errors).toContain('nothing was changed')
    expect((await apply('users: []', '--prune', '--dry-run')).lines).toContain('- user mia (disabled)')
    const { lines, status } = await apply(declaring(), '--prune', '--yes')
    expect(status).toBe(0)
    expect(lines).toContain('- connection mia/Down')
    expect((await command(running.dataDir, ['client', 'list'])).out).not.toContain('Nightly')
    await apply('users: []', '--prune', '--yes')
    expect((await command(running.dataDir, ['user', 'list'])).out).toMatch(/ada\s+admin\s*\n[\s\S]*mia.*disabled/)
    // Made in the browser.
    expect(await pageOf('/profiles', 'Own')).not.toBe('')
    expect((await apply('', '--prune')).out).toBe('Nothing to do.\n')
  })
})

describe('on a Toolpass that does not run', () => {
  const dataDir = join(folder, 'data')
  const STOPPED = `
users:
  - { username: ada, role: admin, password: { env: ADA_PASSWORD } }
connections:
  - owner: ada
    name: Everything
    connector: stdio
    settings: { command: javascript, args: ['${EVERYTHING}', stdio] }
    secrets: { env: { API_KEY: { file: key.txt } } }
profiles:
  - { owner: ada, name: all, tools: [{ connection: everything, tools: [echo] }] }
`
  const apply = (text: string, ...flags: string[]) =>
    command(dataDir, ['apply', put('stopped.yaml', text), ...flags], { ADA_PASSWORD: ADMIN.password })

  test('[APPLY-DECLARES] an empty folder becomes a house in which its first administrator signs in', async () => {
    const made = await apply(STOPPED)
    expect([made.errors, made.status]).toEqual(['', 0])
    expect(made.lines).toEqual([
      '+ user ada (role, password)',
      '+ connection ada/Everything (connector, settings.command, settings.args, secrets.env, sharing)',
      ...made.lines.filter((line) => line.startsWith('Waiting for the tools of Everything')),
      '+ profile ada/all (tools)',
      'Done: 3 changes.',
    ])
    expect((await apply(STOPPED)).out).toBe('Nothing to do.\n')
    const running = await startToolpass({ dataDir })
    try {
      const ada = await signedIn(running)
      expect((await ada.open('/profiles')).html).toContain('all')
    } finally {
      await running.stop()
    }
  })

  const connection = (lines: string) => `connections:\n  - owner: ada\n    name: New\n${lines}`
  const HTTP = '    connector: streamable-http\n    settings:\n'
  test.each([
    ['users:\n  - role: admin', 'house.yaml:2: users[0].username is missing.'],
    ['users:\n  - username: bob\n    role: root', 'house.yaml:3: users[0].role must be one of admin, member.'],
    ['users:\n  - username: bob\n    pasword: x', 'house.yaml:3: users[0].pasword is not known here.'],
    ['users:\n  - username: 7', 'house.yaml:2: users[0].username must be text; put it in quotes.'],
    ['users: bob', 'house.yaml:1: users must be a list.'],
    ['- users', 'house.yaml:1: The file must be a block of "name: value" lines.'],
    ['users:\n  - username: bob\n  - username: BOB', 'house.yaml:3: users[1] is declared twice'],
    ['users:\n  - username: bob\n    password: hunter22222', 'house.yaml:3: users[0].password is a secret and is not written here'],
    [
      'users:\n  - username: bob\n    password: { value: hunter22222 }',
      'house.yaml:3: users[0].password is a secret, and { value: … } would',
    ],
    [
      'users:\n  - username: bob\n    password: { env: NOT_SET }',
      'house.yaml:3: users[0].password names the variable NOT_SET, which is not set.',
    ],
    ['users:\n  - username: bob\n    password: { file: no.txt }', 'names the file no.txt, which does not exist.'],
    ['users:\n  - username: bob\n    password: { file: short.txt }', 'house.yaml:3: users[0].password cannot be taken: Use at least 10'],
    ['users:\n  - username: ada\n    role: member', 'house.yaml:1: users would leave no administrator.'],
    [connection(`${HTTP}      url: ftp://x`), 'house.yaml:6: connections[0].settings.url is not usable: This is no http'],
    [connection('    connector: http'), 'house.yaml:4: connections[0].connector names no connector. There are: '],
    [
      connection(`${HTTP}      url: https://a.example/mcp\n      headers: { A: b }`),
      'connections[0].settings.headers is a secret: it belongs under',
    ],
    [connection(`${HTTP}      url: https://a.example/mcp\n      urll: x`), 'house.yaml:7: connections[0].settings.urll is no setting of'],
    [
      connection(`${HTTP}      url: https://a.example/mcp\n    secrets: { headers: { A: b } }`),
      'house.yaml:7: connections[0].secrets.headers.A is a secret',
    ],
    [
      connection(`${HTTP}      url: https://a.example/mcp`).replace('owner: ada', 'owner: nobody'),
      'house.yaml:2: connections[0].owner names "nobody"',
    ],
    [
      STOPPED.replace('stdio\n', 'streamable-http\n')
        .replace(/ {4}settings: .*\n/, '')
        .replace(/ {4}secrets: .*\n/, ''),
      'cannot be changed: the connection is there as stdio',
    ],
    [
      'profiles:\n  - owner: ada\n    name: all\n    tools:\n      - connection: Nope',
      'house.yaml:5: profiles[0].tools[0].connection names "Nope", but ada has',
    ],
    ['profiles:\n  - owner: ada\n    name: Not This', 'house.yaml:3: profiles[0].name must be up to 40 small letters'],
    [
      'profiles:\n  - owner: ada\n    name: all\n    title: "a\\u202eb"',
      'house.yaml:4: profiles[0].title holds characters that nobody sees.',
    ],
    ['clients:\n  policy: some', 'house.yaml:2: clients.policy must be one of everyone, approved, listed.'],
    [
      "clients:\n  registered:\n    - name: A\n      redirect_uris: ['javascript:x']",
      'house.yaml:4: clients.registered[0].redirect_uris cannot be registered: the scheme',
    ],
    [
      'clients:\n  documents:\n    - http://a.example/x',
      'house.yaml:3: clients.documents[0] cannot be listed: the client_id is no https address.',
    ],
    ['users: [', 'house.yaml:'],
  ])(
    '[APPLY-WHOLE, APPLY-SECRETS] %j is refused',
    async (text, sentence) => {
      put('short.txt', 'short')
      const good = 'profiles:\n  - { owner: ada, name: never-made }\n'
      const whole = /^(profiles|- |users: \[)/m.test(text) ? text : `${text}\n${good}`
      const { out, errors, status } = await command(dataDir, ['apply', put('house.yaml', whole)], { ADA_PASSWORD: ADMIN.password })
      expect(errors).toContain(sentence)
      expect([out, status]).toEqual(['', 1])
      expect(errors).not.toContain('hunter22222')
      // What it made, it would take away.
      expect((await apply(STOPPED, '--prune', '--dry-run')).out).toBe('Nothing to do.\n')
    },
    20_000,
  )

  const laughs = ['a: &a0 [x, x]', ...Array.from({ length: 40 }, (_, at) => `b${at}: &a${at + 1} [*a${at}, *a${at}]`)].join('\n')
  test.each([
    ['a billion laughs', laughs, 'is an alias; write out what is meant.'],
    ['ten megabytes', `users: []\n#${'x'.repeat(10 * 1024 * 1024)}`, 'is larger than 1024 KB.'],
    ['bottomless nesting', `users: ${'['.repeat(100_000)}`, 'This is nested too deeply.'],
    ['deep nesting', `users: ${'['.repeat(40)}${']'.repeat(40)}`, 'This is nested too deeply.'],
    ['a name twice', 'users: []\nusers: []', 'house.yaml:2: users is there twice.'],
    ['__proto__', 'users:\n  - username: bob\n    __proto__: { role: admin }', 'house.yaml:3: __proto__ cannot be a name.'],
    ['a tag', 'users: !!js/function x', 'house.yaml:1: '],
    ['two documents', 'users: []\n---\nusers: []', 'multiple documents'],
    ['a hundred thousand names', Array.from({ length: 100_000 }, (_, at) => `k${at}: 1`).join('\n'), '… and '],
  ])(
    '[APPLY-HOSTILE] %s is refused, quickly',
    async (_, text, sentence) => {
      const startedAt = performance.now()
      const { errors, status } = await command(dataDir, ['apply', put('house.yaml', text)])
      expect(errors).toContain(sentence)
      expect(status).toBe(1)
      expect(errors.length).toBeLessThan(4_000)
      expect(performance.now() - startedAt).toBeLessThan(10_000)
    },
    20_000,
  )

  test('[APPLY-HOSTILE] what has no end, or is no text, is refused too', async () => {
    expect((await command(dataDir, ['apply', '/dev/zero'])).errors).toContain('is larger than')
    writeFileSync(join(folder, 'bytes.yaml'), Buffer.from([0xff, 0xfe, 0x00, 0xc3]))
    expect((await command(dataDir, ['apply', join(folder, 'bytes.yaml')])).errors).toContain('is no text in UTF-8.')
    expect((await command(dataDir, ['apply', join(folder, 'none.yaml')])).errors).toContain('does not exist.')
    expect((await command(dataDir, ['apply'])).status).toBe(2)
  })
})
