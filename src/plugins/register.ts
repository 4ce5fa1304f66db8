import type { Connector, Plugin } from './api.ts'
import type { SetAside } from './shapes.ts'

/** A plugin that runs here. Those from outside have a folder, and the print of its files as they were when it was loaded. */
export type Running = { plugin: Plugin; folder?: string; print?: string; description?: string }
/** One that does not; of one from outside it is known at least where it lies. */
export type Aside = SetAside & { folder?: string; title?: string; version?: string }

/** What runs and what was set aside, now. */
export function createRegister(running: readonly Running[], setAside: readonly Aside[]) {
  let now = { running, setAside }
  let connectors = connectorsOf(running)
  return {
    running: () => now.running,
    setAside: () => now.setAside,
    connectors: () => connectors,
    set(changed: { running: readonly Running[]; setAside: readonly Aside[] }): void {
      now = changed
      connectors = connectorsOf(changed.running)
    },
  }
}
export type Register = ReturnType<typeof createRegister>

const connectorsOf = (running: readonly Running[]): ReadonlyMap<string, Connector> =>
  new Map(running.flatMap(({ plugin }) => (plugin.connectors ?? []).map((connector) => [connector.id, connector])))
