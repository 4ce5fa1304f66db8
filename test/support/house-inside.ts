/** The whole house inside this process, on a port and a data folder of its own: a test can look into its rooms. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openHouse } from '@/app.ts'
import { listen } from '@/app/front.ts'
import { loadConfig } from '@/config'
import { createLog } from '@/lib/log.ts'
import { ADMIN, freePort, type Running } from './running.ts'

type Seams = Parameters<typeof openHouse>[2]

/** @param purpose a word for the folder's name */
export async function openInside(purpose: string, seams: Seams = {}) {
  const folder = mkdtempSync(join(tmpdir(), `toolpass-${purpose}-`))
  const port = await freePort()
  /** What was logged as a fault of ours. */
  const faults: string[] = []
  const config = loadConfig({ env: { TOOLPASS_PORT: String(port), TOOLPASS_DATA_DIR: folder }, flags: {} })
  const house = await openHouse(config, createLog({ level: 'error', format: 'json', write: (line) => void faults.push(line) }), seams)
  const server = listen(house)
  return {
    house,
    faults,
    running: { url: `http://localhost:${port}` } as Running,
    admin: await house.users.create('command line', { ...ADMIN, role: 'admin' }),
    close: async () => {
      await server.stop(true)
      await house.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
