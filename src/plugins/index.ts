import type { Audit } from '@/audit'
import type { Changes } from '@/lib/changes.ts'
import type { Log } from '@/lib/log.ts'
import type { Connector, LoginProvider, OAuthProvider, Plugin } from './api.ts'
import { createChannels } from './channels.ts'
import { createLifecycle, LIMITS, type Limits } from './lifecycle.ts'
import { createOpening, type OpenedBy, type OpeningDeps } from './opening.ts'
import { type Aside, createRegister, type Running } from './register.ts'
import { createReloading, type Reloaded, type ReloadedBy } from './reloading.ts'
import { sort } from './shapes.ts'

export { joinSettings, settingsForm, splitSettings } from './settings.ts'
export type { OpenedBy } from './opening.ts'
export type { Aside, Running } from './register.ts'
export type { Reloaded } from './reloading.ts'
export {
  type Channel,
  ChannelError,
  type ChannelErrorKind,
  type Connector,
  type Exchange,
  type JsonObject,
  type JsonRpcError,
  type JsonRpcRequest,
  type OAuthEndpoints,
  type OAuthProvider,
  type OAuthQuirks,
  type JsonRpcResponse,
  type Plugin,
  type ProviderContext,
  type RawAnswer,
  type RequestBody,
  type RequestId,
  type UpstreamMessage,
} from './api.ts'

type Outside = {
  /** Where the folders of outside plugins are. Its real path. */
  folder: string
  changes: Pick<Changes, 'announce'>
  audit: Pick<Audit, 'report'>
  log: Pick<Log, 'info' | 'warn'>
  limits?: Limits
}
type Deps = OpeningDeps & { plugins: readonly unknown[]; outside?: Outside }

/**
 * The host: what the plugins bring, checked. A plugin with a fault is named in `setAside()` and the rest starts; a connector
 * that throws what it should not is translated here, so that no room above ever sees anything but `ChannelError`.
 */
export function createPlugins({ plugins, outside, ...deps }: Deps) {
  const { sound, setAside } = sort(plugins)
  const builtIn = { sound: sound.map((plugin): Running => ({ plugin })), setAside }
  const register = createRegister(builtIn.sound, builtIn.setAside)
  const channels = createChannels(createOpening(deps), register)
  const reloading = outside && reloadingOf(outside, { ...deps, builtIn, register, channels })
  return {
    plugins: (): readonly Plugin[] => register.running().map(({ plugin }) => plugin),
    /** The plugins that run, with where they come from. */
    running: (): readonly Running[] => register.running(),
    setAside: (): readonly Aside[] => register.setAside(),
    /** Where outside plugins are put. */
    folder: (): string => outside?.folder ?? '',
    connectors: (): readonly Connector[] => [...register.connectors().values()],
    connector: (id: string): Connector | undefined => register.connectors().get(id),
    oauthProviders: (): readonly OAuthProvider[] => register.running().flatMap(({ plugin }) => plugin.oauthProviders ?? []),
    oauthProvider: (id: string): OAuthProvider | undefined =>
      register
        .running()
        .flatMap(({ plugin }) => plugin.oauthProviders ?? [])
        .find((provider) => provider.id === id),
    loginProviders: (): readonly LoginProvider[] => register.running().flatMap(({ plugin }) => plugin.loginProviders ?? []),
    /** Opens a channel for one connection. Rejects with `ChannelError` only, and leaves nothing behind when it does. */
    open: (connector: Connector, by: OpenedBy) => channels.open(connector, by),
    /** Loads and opens what is new or changed in the folder and lets go of what is gone; at the start, without `by`, all of it. */
    reload: async (by?: ReloadedBy): Promise<Reloaded> => (await reloading?.reload(by)) ?? { started: [], stopped: [], setAside: 0 },
    /** Whether an error that nobody caught is an outside plugin's, which is then set aside. */
    fault: (error: unknown): boolean => reloading?.fault(error) ?? false,
    close: async (): Promise<void> => reloading?.close(),
  }
}
export type Plugins = ReturnType<typeof createPlugins>

type Parts = Pick<Parameters<typeof createReloading>[0], 'builtIn' | 'register' | 'channels'> & Pick<OpeningDeps, 'outbound'>

const reloadingOf = ({ limits = LIMITS, ...outside }: Outside, { outbound, ...parts }: Parts) =>
  createReloading({ ...outside, ...parts, limits, lifecycle: createLifecycle({ outbound, log: outside.log, limits }) })
