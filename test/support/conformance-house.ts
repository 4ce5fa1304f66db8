/** The whole house with its real front, on a port of its own, and in it what the conformance tool is to meet through it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listen, openHouse } from '@/app.ts'
import { loadConfig } from '@/config'
import { createLog } from '@/lib/log.ts'
import type { ConnectionId } from '@/lib/ids.ts'
import { connectApp, signedIn } from './journey.ts'
import { ADMIN, freePort, type Running } from './running.ts'
import { startTokenProxy, type TokenProxy } from './token-proxy.ts'

type Upstream = { connector: 'streamable-http' | 'stdio'; settings: Record<string, unknown> }

export async function openConformanceHouse() {
  const folder = mkdtempSync(join(tmpdir(), 'toolpass-conformance-'))
  const port = await freePort()
  const faults: string[] = []
  const config = loadConfig({ env: { TOOLPASS_PORT: String(port), TOOLPASS_DATA_DIR: folder }, flags: {} })
  const house = await openHouse(config, createLog({ level: 'error', format: 'json', write: (line) => void faults.push(line) }))
  const server = listen(house)
  const running = { url: `http://localhost:${port}` } as Running
  const user = await house.users.create('command line', { ...ADMIN, role: 'admin' })
  const proxies: TokenProxy[] = []

  /** Everything that the connection lists, whatever it is, under the names that the upstream gave it. */
  const pickAll = async (title: string, connectionId: ConnectionId) => {
    const profile = await house.profiles.create(user, { title })
    await house.profiles.update(user, profile.id, { title, description: '', naming: 'never' })
    const listed = await house.connections.everything([connectionId])
    await house.profiles.setTools(
      user,
      profile.id,
      listed.map(({ id }) => id),
    )
    return profile
  }

  return {
    faults,
    /** A connection, a profile of all that it has, an app that may use it. @returns where the tool is to go */
    async admit(title: string, { connector, settings }: Upstream): Promise<string> {
      const connection = await house.connections.add(user, { connector, name: title, visibility: 'private', settings: settings as never })
      await house.connections.waitForProbe(connection.id)
      const { status } = await house.connections.demand(user, connection.id)
      if (status !== 'ready') throw new Error(`${title} is ${status}: ${JSON.stringify(house.connections.probeOf(connection.id))}`)
      const { name } = await pickAll(title, connection.id)
      const { access_token } = await connectApp(running, await signedIn(running), { profile: name })
      const proxy = startTokenProxy(running.url, access_token)
      proxies.push(proxy)
      return `${proxy.origin}/mcp/${name}`
    },
    close: async () => {
      await Promise.all(proxies.map((proxy) => proxy.stop()))
      await server.stop(true)
      await house.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
export type ConformanceHouse = Awaited<ReturnType<typeof openConformanceHouse>>
