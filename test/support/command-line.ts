/** `toolpass` as a person calls it: a process of its own, with files in a folder of its own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dir, '../..')

export function createCommandLine() {
  const folder = mkdtempSync(join(tmpdir(), 'toolpass-command-'))
  return {
    folder,
    put: (name: string, text: string): string => (writeFileSync(join(folder, name), text), join(folder, name)),
    async run(dataDir: string, words: readonly string[], env: Record<string, string> = {}) {
      const child = Bun.spawn([process.execPath, join(ROOT, 'src/main.ts'), ...words], {
        cwd: ROOT,
        env: { PATH: process.env['PATH'] ?? '', HOME: folder, TOOLPASS_DATA_DIR: dataDir, ...env },
        stdout: 'pipe',
        stderr: 'pipe',
        stdin: 'ignore',
      })
      const [out, errors] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
      return { out, errors, lines: out.trim().split('\n'), status: await child.exited }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
