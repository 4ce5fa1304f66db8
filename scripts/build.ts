/**
 * Makes the one executable: `bun run build` for this machine (dist/toolpass), `bun run build --target bun-linux-arm64` for
 * another (dist/toolpass-linux-arm64), `--outfile PATH` for another place. Migrations, assets and built-in plugins are inside; it needs nothing beside it.
 */
import { cpSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const root = resolve(import.meta.dir, '..')
const dist = join(root, 'dist')
const TARGETS = [
  'bun-linux-x64',
  'bun-linux-arm64',
  'bun-linux-x64-musl',
  'bun-linux-arm64-musl',
  'bun-darwin-x64',
  'bun-darwin-arm64',
] as const
type Target = (typeof TARGETS)[number]

const { values } = parseArgs({
  options: { target: { type: 'string' }, outfile: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
})
if (values.help) {
  console.log(`bun run build [--target TARGET] [--outfile PATH]\n\nTARGET is one of:\n  ${TARGETS.join('\n  ')}`)
  process.exit(0)
}
const target = values.target === undefined ? undefined : TARGETS.find((each) => each === values.target)
if (values.target !== undefined && target === undefined) fail(`There is no target ${values.target}. Targets: ${TARGETS.join(', ')}.`)

const started = performance.now()
const outfile = resolve(values.outfile ?? join(dist, target ? `toolpass-${target.slice('bun-'.length)}` : 'toolpass'))
// Beside the outcome, so that two builds to two places do not meet.
const folder = join(dirname(outfile), 'embedded')
if (target) demandAddon(target)
const embedded = [...stage(), await stageRunners()]
const result = await Bun.build({
  entrypoints: [join(root, 'src/main.ts')],
  target: 'bun',
  format: 'esm',
  bytecode: true,
  // What is imported late is read late.
  splitting: true,
  sourcemap: 'linked',
  // Mangled identifiers break the way Elysia reads its handlers.
  minify: { whitespace: true, syntax: true, identifiers: false },
  // Without it libraries believe they are being developed, and tell strangers why a validation failed.
  define: { 'process.env.NODE_ENV': '"production"' },
  compile: {
    outfile,
    ...(target ? { target } : {}),
    assets: embedded,
    // The working folder belongs to whoever starts the program: no preload and no .env of it may run or count here.
    autoloadBunfig: false,
    autoloadDotenv: false,
    autoloadPackageJson: true,
  },
})
rmSync(folder, { recursive: true, force: true })
if (!result.success) fail(result.logs.join('\n'))

const megabytes = (statSync(outfile).size / 1e6).toFixed(1)
console.log(`${relative(root, outfile)}  ${megabytes} MB  ${((performance.now() - started) / 1000).toFixed(1)} s`)

/**
 * The folders that are embedded, by the paths under which `shipped()` looks for them. Only the last part of a path survives
 * embedding, so the assets are laid out below a folder `views` that holds nothing else.
 */
function stage(): string[] {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'views'), { recursive: true })
  cpSync(join(root, 'views/assets'), join(folder, 'views/assets'), { recursive: true })
  // The snapshots beside the migrations serve drizzle-kit alone.
  cpSync(join(root, 'migrations'), join(folder, 'migrations'), { recursive: true, filter: (path) => basename(path) !== 'meta' })
  return [join(folder, 'migrations'), join(folder, 'views')]
}

/** Programs of ours that run in a process of their own: each in one file, which the executable hands to its runtime as text. */
async function stageRunners(): Promise<string> {
  const runners = join(folder, 'runners')
  const { success, logs } = await Bun.build({
    entrypoints: [join(root, 'plugins/wasm/runner.ts')],
    target: 'bun',
    minify: true,
    outdir: runners,
    naming: 'wasm.js',
  })
  if (!success) fail(logs.join('\n'))
  return runners
}

/** The password hash is a native addon. One that is not installed for the target is missing from the executable silently. */
function demandAddon(wanted: Target): void {
  const [, system = '', cpu = '', libc] = wanted.split('-')
  const name = ['argon2', system, cpu, system === 'linux' ? (libc ?? 'gnu') : undefined].filter(Boolean).join('-')
  const scope = join(root, 'node_modules/@node-rs')
  if (!readdirSync(scope).includes(name))
    fail(`@node-rs/${name} is not installed. First: bun install --frozen-lockfile --cpu='*' --os='*' --libc='*'`)
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}
