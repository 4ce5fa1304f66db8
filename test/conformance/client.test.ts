/** Our side toward upstreams under the conformance tool: every client scenario that a revision requires, sign-in included. */
import { expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parse } from 'yaml'

const ROOT = resolve(import.meta.dir, '../..')
const TOOL = join(ROOT, 'node_modules/@modelcontextprotocol/conformance/dist/index.js')
const DRIVER = join(import.meta.dir, 'client/driver.ts')
const RUN_MS_MAX = 120_000

/** How many may be on the list: it shrinks, and the number with it. */
const KNOWN_MAX = { '2025-11-25': 8, '2026-07-28': 7 }

for (const revision of ['2025-11-25', '2026-07-28'] as const) {
  test(
    `[UPSTREAM-CONFORMANCE] every client scenario of ${revision} passes, but for a list that may only shrink`,
    async () => {
      const baseline = join(import.meta.dir, `client/known-failures-${revision}.yaml`)
      const { client: known } = parse(readFileSync(baseline, 'utf8')) as { client: string[] }
      expect(known.length).toBeLessThanOrEqual(KNOWN_MAX[revision])
      const results = mkdtempSync(join(tmpdir(), 'toolpass-conformance-results-'))
      const args = ['client', '--command', `${process.execPath} ${DRIVER}`, '--requirements', revision, '-o', results]
      const child = Bun.spawn([process.execPath, TOOL, ...args, '--expected-failures', baseline], {
        cwd: ROOT,
        stdout: 'pipe',
        stderr: 'ignore',
      })
      const said = await new Response(child.stdout).text()
      const failing = [...said.matchAll(/^✗ (\S+): \d+ passed/gm)].map(([, name = '']) => name)
      rmSync(results, { recursive: true, force: true })
      expect(said).toContain('=== SUITE SUMMARY ===')
      expect(failing.filter((name) => !known.includes(name))).toEqual([])
      // A scenario that passes by now has to leave the list.
      expect(known.filter((name) => !failing.includes(name))).toEqual([])
    },
    RUN_MS_MAX,
  )
}
