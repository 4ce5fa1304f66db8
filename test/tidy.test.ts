/** The rules of the house that a machine can check by reading. Format, types and the staircase have tools of their own. */
import { describe, expect, test } from 'bun:test'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { withSettings } from '../scripts/docs.ts'

const root = resolve(import.meta.dir, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const OURSELVES = 'test/tidy.test.ts'

// What is checked is what is in the repository, or would be after `git add`; outside a clone, what lies in the folders.
const listed = Bun.spawnSync(['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root, stderr: 'ignore' })
const everything = (
  listed.success
    ? listed.stdout.toString().split('\0').filter(Boolean)
    : [
        ...new Bun.Glob('{src,views,plugins,migrations,scripts,bench,test,docs,.ci}/**/*').scanSync({ cwd: root, dot: true }),
        ...readdirSync(root),
      ]
).filter((path) => existsSync(join(root, path)))

const NOT_TEXT = /\.(png|ico|woff2|gz|db)$/
const texts = everything.filter((path) => !NOT_TEXT.test(path) && path !== OURSELVES && Bun.file(join(root, path)).size > 0)
const code = texts.filter((path) => /\.(ts|tsx|cjs|js)$/.test(path))
const ours = code.filter((path) => /^(src|views|plugins)\//.test(path) && !path.startsWith('views/assets/'))
const within = (...folders: string[]) => ours.filter((path) => folders.some((folder) => path.startsWith(folder)))

/** `file:line text` of each line that matches, comments aside. */
function offences(paths: readonly string[], pattern: RegExp, { comments = false } = {}): string[] {
  return paths.flatMap((path) =>
    (comments ? read(path) : withoutComments(read(path)))
      .split('\n')
      .flatMap((line, at) => (pattern.test(line) ? [`${path}:${at + 1} ${line.trim().slice(0, 120)}`] : [])),
  )
}

/** Blanks, keeping line numbers, whole-line comments: `//`, and blocks that begin a line. A string is never mistaken for one. */
const withoutComments = (text: string) =>
  text.replace(/^[ \t]*\/\*[\s\S]*?\*\//gm, (block) => block.replace(/[^\n]/g, '')).replace(/^[ \t]*\/\/.*$/gm, '')

describe('files', () => {
  test('are of a size that one can hold in mind', () => {
    const linesMax = (path: string) => (path.startsWith('test/') ? 600 : 400)
    const long = code.filter((path) => /\.tsx?$/.test(path) && read(path).split('\n').length - 1 > linesMax(path))
    expect(long.map((path) => `${path} ${read(path).split('\n').length - 1}`)).toEqual([])
  })
  test('the linter still holds functions to 70 lines, and every exception to a rule says why', () => {
    expect(JSON.parse(read('biome.json')).linter.rules.complexity.noExcessiveLinesPerFunction.options.maxLines).toBe(70)
    expect(offences(code, /biome-ignore\S* lint\/complexity\/noExcessiveLines/, { comments: true })).toEqual([])
    expect(offences(code, /biome-ignore(?!\S* \S+: \S+ \S+ \S+)/, { comments: true })).toEqual([])
  })
  test('are named for what they hold', () => {
    expect(code.filter((path) => /(^|[/-])(utils?|helpers?|manager|misc|common)[./-]/.test(path))).toEqual([])
  })
  test('leave nothing for later', () => {
    expect(
      offences(
        texts.filter((path) => path !== 'bun.lock'),
        /\b(TODO|FIXME|XXX|HACK)\b/,
        { comments: true },
      ),
    ).toEqual([])
  })
  test('name no path of the machine they were written on, and no host of a package registry', () => {
    expect(offences(texts, /(^|[\s"'`(=:])\/(work|Users|home\/(?!nonroot\b)[a-z]+)\/[\w.]/, { comments: true })).toEqual([])
    expect(offences(texts, /registry\.(npmjs|yarnpkg)|deb\.debian\.org|pypi\.org|npm\.pkg\.github/, { comments: true })).toEqual([])
  })
})

describe('modules', () => {
  test('export by name; a plugin, a configuration and a declaration may have a default', () => {
    // What an outside plugin looks like is shown in its template, and written to disk by a test.
    const free = /^(plugins\/[^/]+|templates\/plugin)\/index\.ts$|^[^/]+\.config\.ts$|\.d\.ts$|^test\/support\/outside-plugins\.ts$/
    expect(
      offences(
        code.filter((path) => !free.test(path)),
        /^\s*export default\b|\bas default\b/,
      ),
    ).toEqual([])
  })
  test('of src each stand in a room of the staircase', () => {
    const rooms = new Set(staircase())
    const strays = within('src/')
      .map((path) => path.split('/')[1]?.replace(/\.tsx?$/, '') ?? '')
      .filter((name) => name !== 'main' && !rooms.has(name))
    expect([...new Set(strays)]).toEqual([])
  })
})

describe('tests', () => {
  const tests = code.filter((path) => /\.test\.tsx?$/.test(path))
  test('that are skipped say why in their name', () => {
    expect(offences(tests, /\b(test|it|describe)\.(skip|skipIf|todo|todoIf|failing)\b(?!.*because)/)).toEqual([])
  })
  test('are never alone', () => {
    expect(offences(tests, /\b(test|it|describe)\.only\b/)).toEqual([])
  })
})

describe('the way out', () => {
  // Commands speak to the Toolpass on this machine, by its socket or its own port, and to nobody else.
  const TO_OURSELVES = new Set(['src/cli/control.ts', 'src/cli/healthcheck.ts'])
  const guarded = ours.filter((path) => !/^src\/lib\/(outbound[^/]*|wire\/socket)\.ts$/.test(path) && !TO_OURSELVES.has(path))
  /** The pool speaks to whatever address it is given; who may give it one has checked it. */
  const unguarded = ours.filter((path) => !/^src\/lib\/(outbound|wire)[^/]*\.ts$|^src\/lib\/wire\//.test(path))
  test('goes past the guard: no other file takes connections from lib/wire', () => {
    expect(offences(unguarded, /from '[^']*\/wire(\/[^']*|\.ts)'/)).toEqual([])
  })
  test('is lib/outbound: no other file fetches or opens a socket', () => {
    expect([
      // A declaration of a `fetch` that is handed in ends in its type; a call does not.
      ...offences(guarded, /(?<![.\w])(globalThis\.)?fetch\((?!.*\): ?\w)|\bnew (WebSocket|EventSource)\(|\bBun\.(connect|udpSocket)\(/),
      ...offences(guarded, /from '(node:)?(http|https|http2|tls|dgram|dns)(\/promises)?'/),
      ...offences(guarded, /import (?!type )(?!\{ *((type )?(isIP|isIPv4|isIPv6|BlockList),? *)+\}).* from '(node:)?net'/),
    ]).toEqual([])
  })
  test('for programs is lib/programs: no other file starts a process', () => {
    expect(
      offences(
        ours.filter((path) => !/^src\/lib\/programs/.test(path)),
        /\bBun\.spawn(Sync)?\(|from '(node:)?child_process'/,
      ),
    ).toEqual([])
  })
})

describe('settings', () => {
  test('come from config: no other file reads the environment', () => {
    // lib/programs is started again as the sandbox of a program, before there is a configuration.
    const free = /^src\/(config\/|lib\/programs)/
    expect(
      offences(
        ours.filter((path) => !free.test(path)),
        /\b(process|Bun|import\.meta)\.env\b/,
      ),
    ).toEqual([])
  })
  test('are in README as the code has them', () => {
    expect(read('README.md') === withSettings(read('README.md')) ? 'the same' : 'run `bun run docs`').toBe('the same')
  })
})

describe('SQL', () => {
  /** Table → room, by the file that defines it. What is in `house.ts` is the store's own. */
  const owners = new Map<string, string>()
  const names = new Map<string, string>()
  for (const path of within('src/store/tables/'))
    for (const [, symbol = '', name = ''] of read(path).matchAll(/export const (\w+) = sqliteTable\(\s*'(\w+)'/g)) {
      const owner = basename(path, '.ts').replace(/^house$/, 'store')
      owners.set(symbol, owner)
      names.set(name, owner)
    }
  const outside = within('src/').filter((path) => !path.startsWith('src/store/'))
  const roomOf = (path: string) => path.split('/')[1]?.replace(/\.tsx?$/, '')

  test('tables were found', () => expect(owners.size).toBeGreaterThan(10))
  test('a table is imported by the room that owns it', () => {
    const taken = outside.flatMap((path) =>
      [...read(path).matchAll(/import (?!type )\{([^}]*)\} from '(?:@\/store(?:\/[^']*)?|\.\.\/store[^']*)'/g)]
        .flatMap(([, list = '']) => list.split(','))
        .map((name) => name.trim().split(' as ')[0] ?? '')
        .filter((name) => owners.has(name) && owners.get(name) !== roomOf(path))
        .map((name) => `${path} takes ${name} of ${owners.get(name)}`),
    )
    expect(taken).toEqual([])
  })
  test('a statement in text names tables of its own room', () => {
    // The check of a token on each call: one statement over four rooms, so that each of their noes holds at once.
    const foreign = outside
      .filter((path) => path !== 'src/oauth/verify.ts')
      .flatMap((path) =>
        [...withoutComments(read(path)).matchAll(/\b(?:FROM|JOIN|INTO|UPDATE)\s+["`]?([a-z_]+)\b/g)]
          .map(([, name = '']) => name)
          .filter((name) => names.has(name) && names.get(name) !== roomOf(path))
          .map((name) => `${path} names ${name} of ${names.get(name)}`),
      )
    expect(foreign).toEqual([])
  })
  test('what is written without waiting for the disk decides about nobody: rows of calls, what follows them, what legacy sessions said, results kept for an hour, what became of a notice, and when something was last seen', () => {
    // Whoever keeps verdicts about tokens in memory goes by `store.epoch`, which these writes leave alone.
    const quick = outside.flatMap((path) => (/'process'\)/.test(withoutComments(read(path))) ? [path] : []))
    expect(quick).toEqual([
      'src/audit/batch.ts',
      'src/audit/following.ts',
      'src/audit/forwarding/forwarders.ts',
      'src/audit/retention.ts',
      'src/clients/clients.ts',
      'src/connections/rows.ts',
      'src/gateway/sessions.ts',
      'src/grants/grants.ts',
      'src/grants/kept.ts',
      'src/notices/rows.ts',
      'src/users/sessions.ts',
    ])
    const named = quick.flatMap((path) => [...withoutComments(read(path)).matchAll(/'process'/g)].map(() => path))
    expect(named).toEqual(quick)
    expect(offences(outside, /\bDurability\b/)).toEqual([])
  })
  test('the engine is known to the store alone', () => {
    expect(offences(outside, /from '(bun:sqlite|drizzle-orm\/(?!sqlite-core')[^']*)'/)).toEqual([])
    expect(offences(within('views/', 'plugins/'), /from '(bun:sqlite|drizzle-orm[^']*)'/)).toEqual([])
  })
})

describe('pages', () => {
  const pages = within('views/')
  test('hold no style, script or handler of their own: the content security policy would stop them', () => {
    expect(offences(pages, /\sstyle=|<style\b|\s(on[a-z]+|hx-on[:\w-]*)=|<script(?![^>]*\bsrc=)/)).toEqual([])
  })
  test('make htmx evaluate nothing', () => {
    expect(offences(pages, /["'`]\s*(javascript|js):|hx-(vals|headers)="js|hx-trigger="[^"]*\[/)).toEqual([])
  })
})

describe('what is installed', () => {
  const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string>>
  test('is pinned to the digit', () => {
    const all = Object.entries({ ...manifest['dependencies'], ...manifest['devDependencies'] })
    expect(all.filter(([, version]) => !/^(npm:[^@]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([])
  })
  test('is locked without the address of any registry', () => {
    expect(offences(['bun.lock'], /https?:\/\//, { comments: true })).toEqual([])
  })
  test('runs on the one version of bun that package.json names', () => {
    const version = manifest['engines']?.['bun'] ?? ''
    for (const path of ['README.md', 'Dockerfile', '.ci/run', 'CONTRIBUTING.md'])
      for (const [, found = ''] of read(path).matchAll(/\bbun@(\d[\w.]*)/g)) expect({ path, found }).toEqual({ path, found: version })
    expect(manifest['devDependencies']?.['@types/bun']).toBe(version)
  })
})

describe('documents', () => {
  const decisions = readdirSync(join(root, 'docs/adr'))
    .filter((name) => name !== 'README.md')
    .sort()
  test('decisions are numbered without a gap, titled with their number, and have a status', () => {
    decisions.forEach((name, at) => {
      const number = String(at + 1).padStart(4, '0')
      expect(name).toMatch(new RegExp(`^${number}-[a-z0-9-]+\\.md$`))
      const text = read(`docs/adr/${name}`)
      expect(text).toStartWith(`# ${number}. `)
      expect(text).toMatch(/^Status: (accepted|superseded by \d{4})$/m)
    })
  })
  test('the list of decisions holds each of them', () => {
    expect(decisions.filter((name) => !read('docs/adr/README.md').includes(`(${name})`))).toEqual([])
  })
  test('ARCHITECTURE.md shows the staircase that is enforced', () => {
    expect(read('ARCHITECTURE.md')).toContain(staircase().join(' → '))
  })
  test('links between them lead somewhere', () => {
    const broken = texts
      .filter((path) => path.endsWith('.md'))
      .flatMap((path) =>
        [...read(path).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)/g)]
          .filter(([, target = '']) => !existsSync(join(root, dirname(path), target)))
          .map(([, target]) => `${path} → ${target}`),
      )
    expect(broken).toEqual([])
  })
})

describe('the boundary checker', () => {
  /** A tree with one offence against each rule; what a rule lets through is a rule that nobody can rely on. */
  const offending: Record<string, string> = {
    'src/lib/ids.ts': 'export const a = 1',
    'src/store/index.ts': "import type { B } from '@/audit'\nimport '../lib/ids.ts'\nexport type A = B",
    'src/store/open.ts': 'export const open = 1',
    'src/store/tables/users.ts': 'export const users = 1\nexport type Row = string',
    'src/audit/index.ts':
      "import { open } from '../store/open.ts'\nimport { users } from '../store/tables/users.ts'\nexport type B = typeof open & typeof users",
    'src/users/index.ts':
      "import type { Row } from '@/store/tables/users.ts'\nimport { Page } from '@views/page.tsx'\nimport 'elysia'\nexport type U = Row & typeof Page",
    'src/connections/index.ts':
      "import plugin from '../../plugins/one/index.ts'\nimport './missing.ts'\nimport '../main.ts'\nexport const c = plugin",
    'src/web/index.ts': "import 'knip'\nimport type { U } from '@/users'\nimport '../../test/help.ts'\nexport type W = U",
    'src/main.ts': "import '@/web'",
    'views/page.tsx': "import { a } from '@/lib/ids.ts'\nexport const Page = a",
    'plugins/one/index.ts': "import '@/lib/ids.ts'\nimport '../two/part.ts'\nexport default 1",
    'plugins/two/part.ts': "import type { Whole } from './whole.ts'\nexport type Part = Whole[]",
    'plugins/two/whole.ts': "import type { Part } from './part.ts'\nexport type Whole = { parts: Part }",
    'test/help.ts': 'export const help = 1',
  }
  const expected = [
    'elysia-only-at-the-doors: src/users/index.ts → elysia',
    'front-door-of-store: src/audit/index.ts → src/store/open.ts',
    'main-starts-the-cli: src/main.ts → src/web/index.ts',
    'no-circles: plugins/two/part.ts → plugins/two/whole.ts',
    'no-dead-ends: src/connections/index.ts → ./missing.ts',
    'no-stairs-up-from-store: src/store/index.ts → src/audit/index.ts',
    'nothing-imports-main: src/connections/index.ts → src/main.ts',
    'pages-are-made-upstairs: src/users/index.ts → views/page.tsx',
    'plugins-are-alone: plugins/one/index.ts → plugins/two/part.ts',
    'plugins-by-app-only: src/connections/index.ts → plugins/one/index.ts',
    'plugins-see-only-the-api: plugins/one/index.ts → src/lib/ids.ts',
    'program-without-dev-packages: src/web/index.ts → knip',
    'program-without-workshop: src/web/index.ts → test/help.ts',
    'tables-by-type-only: src/audit/index.ts → src/store/tables/users.ts',
    'views-are-pure: views/page.tsx → src/lib/ids.ts',
  ]

  test('sees each kind of offence, and nothing else', () => {
    const folder = mkdtempSync(join(tmpdir(), 'toolpass-tidy-'))
    for (const [path, text] of Object.entries(offending)) {
      mkdirSync(join(folder, dirname(path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    for (const path of ['tsconfig.json', 'package.json', '.dependency-cruiser.cjs']) copyFileSync(join(root, path), join(folder, path))
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    const command = [process.execPath, '--bun', 'node_modules/.bin/depcruise', '-T', 'json', 'src', 'views', 'plugins']
    const { stdout } = Bun.spawnSync(command, { cwd: folder })
    rmSync(folder, { recursive: true })
    const { summary } = JSON.parse(stdout.toString()) as { summary: { violations: { from: string; to: string; rule: { name: string } }[] } }
    const found = summary.violations.map(
      ({ rule, from, to }) => `${rule.name}: ${from} → ${to.replace(/^.*node_modules\/([^/]+)\/.*$/, '$1')}`,
    )
    expect(found.sort()).toEqual(expected)
  })
})

function staircase(): string[] {
  const [, line = ''] = read('.dependency-cruiser.cjs').match(/'(lib → [^']+)'/) ?? []
  return line.split(' → ')
}
