/** A whole house on a port of its own, with real tokens, that can be stopped and started again on the same folder. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type House, openHouse } from '@/app.ts'
import { listen } from '@/app/front.ts'
import { loadConfig } from '@/config'
import type { ConnectionId, GrantId, ProfileId, ToolId } from '@/lib/ids.ts'
import { createLog } from '@/lib/log.ts'
import type { User } from '@/users'
import { connectApp, type Person, signedIn } from '../journey.ts'
import { ADMIN, freePort, type Running } from '../running.ts'

export type Way = { connector: 'streamable-http' | 'stdio'; settings: Record<string, unknown> }
export const overHttp = (url: string): Way => ({ connector: 'streamable-http', settings: { url } })
export const asProgram = (file: string): Way => ({ connector: 'stdio', settings: { command: 'javascript', args: [file], env: {} } })

export type Member = { user: User; person: Person }
export type Admitted = { name: string; url: string; token: string; profileId: ProfileId; grantId: GrantId }
type Serving = { naming?: 'always' | 'on-collision' | 'never'; delivery?: 'whole' | 'search'; title: string }

export async function openMatrixHouse(seams: Parameters<typeof openHouse>[2] = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'toolpass-matrix-'))
  const port = await freePort()
  const faults: string[] = []
  const config = loadConfig({ env: { TOOLPASS_PORT: String(port), TOOLPASS_DATA_DIR: folder }, flags: {} })
  const log = createLog({ level: 'error', format: 'json', write: (line) => void faults.push(line) })
  const open = async () => {
    const rooms = await openHouse(config, log, seams)
    return { rooms, server: listen(rooms) }
  }
  let now = await open()
  const shut = async () => {
    await now.server.stop(true)
    await now.rooms.close()
  }
  const url = `http://localhost:${port}`
  const running = { url } as Running
  const user: User = await now.rooms.users.create('command line', { ...ADMIN, role: 'admin' })
  const owner: Member = { user, person: await signedIn(running) }

  return {
    url,
    running,
    user,
    faults,
    owner,
    async member(username: string): Promise<Member> {
      const credentials = { username, password: 'another horse battery' }
      const created = await now.rooms.users.create('command line', { ...credentials, role: 'member' })
      return { user: created, person: await signedIn(running, credentials) }
    },
    get rooms(): House {
      return now.rooms
    },
    /** @returns its id, once it has been tried and listed */
    async addConnection(name: string, { connector, settings }: Way, sharing: object = { visibility: 'private' }): Promise<ConnectionId> {
      const { connections } = now.rooms
      const { id } = await connections.add(user, { connector, name, settings: settings as never, ...sharing } as never)
      await connections.waitForProbe(id)
      const { status } = await connections.demand(user, id)
      if (status !== 'ready') throw new Error(`${name} is ${status}: ${JSON.stringify(connections.probeOf(id))}`)
      return id
    },
    /** The ids of what a connection offers, by name or address. */
    async listed(id: ConnectionId): Promise<Record<string, ToolId>> {
      return Object.fromEntries((await now.rooms.connections.everything([id])).map((tool) => [tool.name, tool.id]))
    },
    /** A profile of these tools, and an app that may use them all. */
    async admit({ title, naming = 'never', delivery = 'whole' }: Serving, toolIds: readonly ToolId[], whose = owner): Promise<Admitted> {
      const { profiles, oauth } = now.rooms
      const { id: profileId, name } = await profiles.create(whose.user, { title })
      await profiles.update(whose.user, profileId, { title, description: 'Of the profile.', naming, delivery })
      await profiles.setTools(whose.user, profileId, toolIds)
      const { access_token: token } = await connectApp(running, whose.person, { profile: name })
      const verified = await oauth.verify(token)
      if (!verified || !('grantId' in verified)) throw new Error('The token is not good.')
      return { name, url: `${url}/mcp/${name}`, token, profileId, grantId: verified.grantId }
    },
    stopServing: shut,
    async startServing(): Promise<void> {
      now = await open()
    },
    async close(): Promise<void> {
      await shut()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
export type MatrixHouse = Awaited<ReturnType<typeof openMatrixHouse>>
