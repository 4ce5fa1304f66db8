/** Runs the server half of the conformance tool and reads what each of its checks found. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dir, '../..')
const TOOL = join(ROOT, 'node_modules/@modelcontextprotocol/conformance/dist/index.js')
/** In no requirement set, and so run by name; of the later revision. */
const SKILLS = ['sep-2640-skills-enumeration', 'sep-2640-skills-manifest', 'sep-2640-skills-directory']

export const REVISIONS = ['2025-11-25', '2026-07-28'] as const
export type Revision = (typeof REVISIONS)[number]
/** Checks as `scenario:check`. One that ran several times has passed when it always did. */
export type Found = { scenarios: number; passed: ReadonlySet<string>; missed: ReadonlySet<string> }

/** Every scenario of the revision, those that do not count and the extensions included. */
export async function runTool(url: string, revision: Revision): Promise<Found> {
  const folder = mkdtempSync(join(tmpdir(), 'toolpass-conformance-results-'))
  try {
    await run(['--url', url, '--requirements', revision, '-o', folder])
    if (revision === '2026-07-28') for (const scenario of SKILLS) await run(['--url', url, '--scenario', scenario, '-o', folder])
    return read(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function run(args: string[]): Promise<void> {
  const child = Bun.spawn([process.execPath, TOOL, 'server', ...args], { cwd: ROOT, stdout: 'ignore', stderr: 'pipe' })
  const said = await new Response(child.stderr).text()
  // 1 is a check that failed, of which the results tell more.
  if ((await child.exited) > 1) throw new Error(`The conformance tool did not run:\n${said}`)
}

type Check = { id: string; status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO' }

function read(folder: string): Found {
  const names = readdirSync(folder)
  const found = { scenarios: names.length, passed: new Set<string>(), missed: new Set<string>() }
  for (const name of names) {
    const scenario = /^server-(.+)-\d{4}-\d{2}-\d{2}T/.exec(name)?.[1]
    if (scenario === undefined) throw new Error(`${name} is no name of a result`)
    for (const { id, status } of JSON.parse(readFileSync(join(folder, name, 'checks.json'), 'utf8')) as Check[]) {
      if (status === 'SUCCESS') found.passed.add(`${scenario}:${id}`)
      if (status === 'FAILURE' || status === 'WARNING') found.missed.add(`${scenario}:${id}`)
    }
  }
  for (const check of found.missed) found.passed.delete(check)
  return found
}

/** What failed, was warned of, or was not reached or asked although it passes with nothing in between. */
export const lackingOf = (found: Found, direct: Found): string[] =>
  [...new Set([...found.missed, ...[...direct.passed].filter((check) => !found.passed.has(check))])].sort()
