/**
 * Makes packages/plugin/index.d.ts from src/plugins/api.ts: `bun scripts/plugin-types.ts`, or with `--check` only says
 * whether it is current. It declares `toolpass/plugin`, which exists inside a running Toolpass and nowhere as a file.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dir, '..')
const file = join(root, 'packages/plugin/index.d.ts')

const made = formatted(declare(emitted()))
if (!process.argv.includes('--check')) writeFileSync(file, made)
else if (readFileSync(file, 'utf8') !== made) {
  console.error('packages/plugin/index.d.ts is not current: bun scripts/plugin-types.ts')
  process.exit(1)
}

function emitted(): string {
  const folder = mkdtempSync(join(tmpdir(), 'toolpass-types-'))
  try {
    const project = join(folder, 'tsconfig.json')
    const files = [join(root, 'src/plugins/api.ts')]
    const compilerOptions = { noEmit: false, declaration: true, emitDeclarationOnly: true, outDir: folder, rootDir: join(root, 'src') }
    const paths = { '@/*': [join(root, 'src/*')] }
    const whole = { extends: join(root, 'tsconfig.json'), compilerOptions: { ...compilerOptions, paths, types: [] }, files, include: [] }
    writeFileSync(project, JSON.stringify(whole))
    const { status, stdout } = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project])
    if (status !== 0) throw new Error(String(stdout))
    return readFileSync(join(folder, 'plugins/api.d.ts'), 'utf8')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function formatted(text: string): string {
  const biome = join(root, 'node_modules/.bin/biome')
  return spawnSync(biome, ['format', `--stdin-file-path=${file}`], { cwd: root, input: text, encoding: 'utf8' }).stdout
}

function declare(module: string): string {
  const lines = module.replaceAll('export declare ', 'export ').trimEnd().split('\n')
  return [
    '// Made from src/plugins/api.ts by scripts/plugin-types.ts; a change here is lost.',
    "declare module 'toolpass/plugin' {",
    ...lines,
    '}',
    '',
  ].join('\n')
}
