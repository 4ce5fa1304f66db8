import type { Aside, Reloaded } from '@/plugins'
import { type Command, print, Usage } from './command.ts'
import { perform } from './control.ts'

const USAGE = 'toolpass plugins list|reload'

type Listed = { running: { id: string; version: string; folder?: string; connectors: string[] }[]; setAside: Aside[] }

export const plugins: Command = {
  usage: USAGE,
  summary: 'Shows the plugins, those that were set aside included, or loads what changed in the plugins folder.',
  run: async ({ config, words }) => {
    const [action] = words
    if (words.length !== 1 || (action !== 'list' && action !== 'reload')) throw new Usage(`Usage: ${USAGE}`)
    if (action === 'reload') printReloaded((await perform(config, 'plugins-reload', {})) as Reloaded)
    printListed((await perform(config, 'plugins-list', {})) as Listed)
  },
}

const printReloaded = ({ started, stopped }: Reloaded) =>
  print(started.length + stopped.length === 0 ? 'Nothing changed.' : `Started: ${named(started)}. Stopped: ${named(stopped)}.`)
const named = (ids: readonly string[]) => ids.join(', ') || 'none'

function printListed({ running, setAside }: Listed): void {
  for (const { id, version, folder, connectors } of running)
    print(`${id.padEnd(20)} ${version.padEnd(10)} ${folder ?? 'built in'}  connectors: ${named(connectors)}`)
  for (const { id, version = '', folder = 'built in', reason } of setAside)
    print(`${id.padEnd(20)} ${version.padEnd(10)} ${folder}  set aside: ${reason}`)
}
