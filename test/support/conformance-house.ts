/** The whole house with its real front, on a port of its own, and in it what the conformance tool is to meet through it. */
import type { ConnectionId } from '@/lib/ids.ts'
import { openInside } from './house-inside.ts'
import { connectApp, signedIn } from './journey.ts'
import { startTokenProxy, type TokenProxy } from './token-proxy.ts'

type Upstream = { connector: 'streamable-http' | 'stdio'; settings: Record<string, unknown> }

export async function openConformanceHouse() {
  const { house, running, faults, admin: user, close } = await openInside('conformance')
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
      await close()
    },
  }
}
export type ConformanceHouse = Awaited<ReturnType<typeof openConformanceHouse>>
