import type { Connector, Plugin } from './api.ts'
import { createOpening, type OpenedBy, type OpeningDeps } from './opening.ts'
import { sort, type SetAside } from './shapes.ts'

export { joinSettings, settingsForm, splitSettings } from './settings.ts'
export type { OpenedBy } from './opening.ts'
export type { SetAside } from './shapes.ts'
export {
  type Channel,
  ChannelError,
  type Connector,
  type Exchange,
  type JsonObject,
  type JsonRpcError,
  type JsonRpcRequest,
  type JsonRpcResponse,
  type Plugin,
  type RequestId,
  type UpstreamMessage,
} from './api.ts'

type Deps = OpeningDeps & { plugins: readonly unknown[] }

/**
 * The host: what the plugins bring, checked. A plugin with a fault is named in `setAside()` and the rest starts; a connector
 * that throws what it should not is translated here, so that no room above ever sees anything but `ChannelError`.
 */
export function createPlugins({ plugins, ...deps }: Deps) {
  const { sound, setAside } = sort(plugins)
  const connectors = new Map(sound.flatMap((plugin) => (plugin.connectors ?? []).map((connector) => [connector.id, connector])))
  const open = createOpening(deps)
  return {
    plugins: (): readonly Plugin[] => sound,
    setAside: (): readonly SetAside[] => setAside,
    connectors: (): readonly Connector[] => [...connectors.values()],
    connector: (id: string): Connector | undefined => connectors.get(id),
    /** Opens a channel for one connection. Rejects with `ChannelError` only, and leaves nothing behind when it does. */
    open: (connector: Connector, by: OpenedBy) => open(connector, by),
  }
}
export type Plugins = ReturnType<typeof createPlugins>
