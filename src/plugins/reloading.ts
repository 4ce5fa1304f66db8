import { sep } from 'node:path'
import type { Audit } from '@/audit'
import type { Changes } from '@/lib/changes.ts'
import type { UserId } from '@/lib/ids.ts'
import type { Log } from '@/lib/log.ts'
import type { Connector, Plugin } from './api.ts'
import type { Channels } from './channels.ts'
import { type Lifecycle, type Limits, problemOf, within } from './lifecycle.ts'
import { PluginProblem } from './manifest.ts'
import { type Found, load, type Readable, scan } from './outside.ts'
import type { Aside, Register, Running } from './register.ts'
import { sort } from './shapes.ts'

type Deps = {
  /** Where the folders of the plugins are. */
  folder: string
  limits: Limits
  builtIn: { sound: readonly Running[]; setAside: readonly Aside[] }
  register: Register
  channels: Pick<Channels, 'closeOf'>
  lifecycle: Lifecycle
  changes: Pick<Changes, 'announce'>
  audit: Pick<Audit, 'report'>
  log: Pick<Log, 'info' | 'warn'>
}
export type ReloadedBy = { userId?: UserId; userName: string }
export type Reloaded = { started: string[]; stopped: string[]; setAside: number }

/** Brings what runs in line with what lies in the folder: what is unchanged goes on undisturbed. */
export function createReloading(deps: Deps) {
  const { folder, register, lifecycle, audit, log } = deps
  const opened = new Set<Running>()
  // One at a time, so that what is read, closed, loaded and opened belongs together.
  let last: Promise<unknown> = Promise.resolve()
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work)
    last = next.catch(() => undefined)
    return next
  }

  const reload = async (by: ReloadedBy | undefined): Promise<Reloaded> => {
    const found = scan(folder)
    const isHere = (it: Running) => found.some((each) => 'manifest' in each && each.folder === it.folder && each.print === it.print)
    const leaving = [...opened].filter((it) => it.folder !== undefined && !isHere(it))
    await dismiss(deps, opened, leaving)
    const arriving = await admit(deps, opened, found)
    for (const { id, folder: from, reason } of arriving.setAside) log.warn('a plugin is set aside', { plugin: id, folder: from, reason })
    const changed = { stopped: leaving.map(idOf), started: arriving.running.map(idOf), setAside: arriving.setAside.length }
    if (by) {
      log.info('plugins were reloaded', { started: changed.started.join(' '), stopped: changed.stopped.join(' ') })
      await audit.report({ kind: 'admin', action: 'plugins.reload', outcome: 'ok', ...by, subject: summaryOf(changed) })
    }
    announce(deps, [...leaving, ...arriving.running])
    return changed
  }

  return {
    reload: (by?: ReloadedBy) => alone(() => reload(by)),
    /**
     * Something was thrown that nobody caught. When it comes from a plugin's files, that plugin is set aside and the house
     * goes on. @returns false when it is a fault of the house.
     */
    fault(error: unknown): boolean {
      const stack = stackOf(error)
      if (!stack.includes(folder + sep)) return false
      void alone(async () => {
        const faulty = [...opened].filter((it) => it.folder !== undefined && stack.includes(it.folder + sep))
        const reason = `It failed while it ran: ${problemOf(error)}`
        for (const it of faulty) log.warn('a plugin is set aside', { plugin: idOf(it), folder: it.folder, reason })
        const setAside = [...register.setAside(), ...faulty.map((it) => asideOf(it, reason))]
        await dismiss(deps, opened, faulty, setAside)
        announce(deps, faulty)
      })
      return true
    },
    close: (): Promise<void> =>
      alone(async () => {
        await Promise.all([...opened].map(({ plugin }) => lifecycle.close(plugin)))
        opened.clear()
      }),
  }
}

const idOf = ({ plugin }: Running) => plugin.id
const connectorsOf = (plugins: readonly Running[]): Connector[] => plugins.flatMap(({ plugin }) => plugin.connectors ?? [])
const summaryOf = ({ started, stopped }: Reloaded) =>
  [started.length > 0 && `started ${started.join(', ')}`, stopped.length > 0 && `stopped ${stopped.join(', ')}`]
    .filter(Boolean)
    .join('; ')
    .slice(0, 200) || 'nothing changed'

const asideOf = ({ plugin, folder, description: _, print: __ }: Running, reason: string): Aside => ({
  id: plugin.id,
  title: plugin.title,
  version: plugin.version,
  ...(folder === undefined ? {} : { folder }),
  reason,
})

function announce({ changes }: Deps, plugins: readonly Running[]): void {
  const connectors = [...new Set(connectorsOf(plugins).map(({ id }) => id))]
  if (connectors.length > 0) changes.announce({ kind: 'plugins-changed', connectors })
}

/** First nothing new may begin, then the channels end, then the plugin itself. */
async function dismiss(deps: Deps, opened: Set<Running>, leaving: readonly Running[], setAside = deps.register.setAside()): Promise<void> {
  const { register, channels, lifecycle, limits } = deps
  for (const it of leaving) opened.delete(it)
  register.set({ running: register.running().filter((it) => !leaving.includes(it)), setAside })
  await within(limits.closeMs, () => channels.closeOf(connectorsOf(leaving))).catch(() => undefined)
  await Promise.all(leaving.map(({ plugin }) => lifecycle.close(plugin)))
}

type Outcome = { running: Running[]; setAside: Aside[] }

/** Loads and opens what is not running yet, built-in plugins at the first time. */
async function admit(deps: Deps, opened: Set<Running>, found: readonly Found[]): Promise<Outcome> {
  const { builtIn, register, lifecycle } = deps
  const staying = builtIn.sound.concat([...opened].filter((it) => it.folder !== undefined))
  const loaded = await loadAll(deps, staying, found)
  const arriving = [...builtIn.sound.filter((it) => !opened.has(it)), ...loaded.running]
  const problems = await Promise.all(arriving.map(({ plugin }) => lifecycle.open(plugin)))
  const running = arriving.filter((_, at) => problems[at] === undefined)
  const failed = arriving.flatMap((it, at) => (problems[at] === undefined ? [] : [asideOf(it, problems[at])]))
  for (const it of running) opened.add(it)
  const setAside = [...builtIn.setAside, ...loaded.setAside, ...failed]
  register.set({ running: [...staying.filter((it) => opened.has(it)), ...running.filter((it) => !staying.includes(it))], setAside })
  return { running: running.filter((it) => it.folder !== undefined), setAside }
}

/** What an id says is decided before code runs, and once more about what the code turned out to bring. */
async function loadAll({ limits }: Deps, staying: readonly Running[], found: readonly Found[]): Promise<Outcome> {
  const here = new Set(staying.map((it) => it.folder))
  const ids = new Set(staying.map(idOf))
  const outcome: Outcome = { running: [], setAside: [] }
  const wanted: Readable[] = []
  for (const each of found.filter(({ folder }) => !here.has(folder))) {
    if ('reason' in each) outcome.setAside.push(foundAside(each, each.reason))
    else if (ids.has(each.manifest.id)) outcome.setAside.push(foundAside(each, `plugin ${each.manifest.id} exists already.`))
    else wanted.push(each)
    if ('manifest' in each) ids.add(each.manifest.id)
  }
  const loads = await Promise.allSettled(wanted.map((each) => load(each, limits)))
  for (const [at, each] of wanted.entries()) {
    const sound = [...staying, ...outcome.running].map(({ plugin }) => plugin)
    const judged = judge(loads[at] as PromiseSettledResult<unknown>, sound)
    const { folder, print, manifest } = each
    if ('reason' in judged) outcome.setAside.push(foundAside(each, judged.reason))
    else outcome.running.push({ plugin: judged.plugin, folder, print, description: manifest.description })
  }
  return outcome
}

function judge(loaded: PromiseSettledResult<unknown>, sound: readonly Plugin[]): { plugin: Plugin } | { reason: string } {
  if (loaded.status === 'rejected') return { reason: reasonOf(loaded.reason) }
  const [aside] = sort([...sound, loaded.value]).setAside
  return aside ? { reason: aside.reason } : { plugin: loaded.value as Plugin }
}

const reasonOf = (error: unknown): string => (error instanceof PluginProblem ? error.message : problemOf(error))
const nameOf = (folder: string): string => folder.slice(folder.lastIndexOf(sep) + 1).slice(0, 64)

function foundAside(found: Found, reason: string): Aside {
  const told = 'manifest' in found ? { id: found.manifest.id, title: found.manifest.title, version: found.manifest.version } : undefined
  return { id: nameOf(found.folder), ...told, folder: found.folder, reason }
}

function stackOf(error: unknown): string {
  try {
    const { stack, cause } = error as { stack?: unknown; cause?: unknown }
    return `${String(stack)}${cause instanceof Error ? `\n${cause.stack}` : ''}`
  } catch {
    return ''
  }
}
