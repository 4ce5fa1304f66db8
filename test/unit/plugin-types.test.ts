import { expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dir, '../..')
const run = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  return { status, said: stdout + stderr }
}

test('[PLUGIN-TYPES] the package is what the API makes of itself', () => {
  expect(run('scripts/plugin-types.ts', '--check')).toEqual({ status: 0, said: '' })
})

test('[PLUGIN-TYPES] the template type-checks against the package alone', () => {
  const folder = mkdtempSync(join(tmpdir(), 'toolpass-template-'))
  try {
    cpSync(join(root, 'templates/plugin'), folder, { recursive: true })
    mkdirSync(join(folder, 'node_modules/@toolpass'), { recursive: true })
    symlinkSync(join(root, 'packages/plugin'), join(folder, 'node_modules/@toolpass/plugin-types'))
    expect(run('node_modules/typescript/bin/tsc', '-p', folder)).toEqual({ status: 0, said: '' })
  } finally {
    rmSync(folder, { recursive: true })
  }
})
