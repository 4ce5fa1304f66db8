import { type Channel, ChannelError, type Connector } from './api.ts'
import type { createOpening, OpenedBy } from './opening.ts'
import type { Register } from './register.ts'

/** The channels that are open, by connector, so that none outlives the plugin whose code carries it. */
export function createChannels(open: ReturnType<typeof createOpening>, register: Pick<Register, 'connectors'>) {
  const openOf = new Map<Connector, Set<() => Promise<void>>>()
  const gone = () => new ChannelError('lost', 'The plugin of this connection was changed or removed.')

  return {
    /** Opens a channel for one connection. Rejects with `ChannelError` only, and leaves nothing behind when it does. */
    async open(connector: Connector, by: OpenedBy): Promise<Channel> {
      const ends = openOf.get(connector) ?? new Set()
      openOf.set(connector, ends)
      const channel = await open(connector, { ...by, closed: (reason) => (ends.delete(end), by.closed(reason)) })
      const close = () => (ends.delete(end), channel.close())
      async function end(): Promise<void> {
        await close()
        by.closed(gone())
      }
      // The plugin may have gone while its connector was opening.
      if (register.connectors().get(connector.id) !== connector) {
        await close()
        throw new ChannelError('unreachable', 'The plugin of this connection was changed. Try again.')
      }
      ends.add(end)
      return { ...channel, close }
    },
    async closeOf(connectors: readonly Connector[]): Promise<void> {
      const ends = connectors.flatMap((connector) => [...(openOf.get(connector) ?? [])])
      for (const connector of connectors) openOf.delete(connector)
      await Promise.all(ends.map((end) => end()))
    },
  }
}
export type Channels = ReturnType<typeof createChannels>
