/**
 * Plugins from outside: one folder each below `plugins/` in the data folder, with a manifest and code. The code runs in this
 * process with all of its rights; what the checks here are for is that one broken plugin stops nothing but itself.
 */
import { lstatSync, mkdirSync, readdirSync, realpathSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import * as api from './api.ts'
import { type Limits, problemOf, seconds, TimeUp, within } from './lifecycle.ts'
import { type Manifest, PluginProblem, readManifest } from './manifest.ts'

/** A plugin's folder as it stands there now: readable, or the reason why not. */
export type Found = { folder: string; print: string } & ({ manifest: Manifest; main: string } | { reason: string })
export type Readable = Extract<Found, { manifest: Manifest }>

const PLUGINS_MAX = 100
const FILES_MAX = 5_000

/** Looks at all of them without running any code, in the order of their names. */
export function scan(root: string): Found[] {
  mkdirSync(root, { recursive: true, mode: 0o700 })
  const entries = readdirSync(root, { withFileTypes: true }).filter(({ name }) => !name.startsWith('.'))
  const folders = entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
  return folders
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name }, at) => {
      const folder = join(realpathSync(root), name)
      try {
        if (at >= PLUGINS_MAX) throw new PluginProblem(`There are more than ${PLUGINS_MAX} plugins.`)
        // Behind a link the code could be changed by whoever owns the place that it leads to.
        if (lstatSync(folder).isSymbolicLink()) throw new PluginProblem('It is a link. Put the folder itself here.')
        return { folder, print: printOf(folder), ...readManifest(folder) }
      } catch (error) {
        return { folder, print: '', reason: error instanceof PluginProblem ? error.message : `It cannot be read: ${problemOf(error)}.` }
      }
    })
}

/** Changes when a file of the plugin does. Its packages count by the lock file that names them. */
function printOf(folder: string): string {
  const files: string[] = []
  const walk = (at: string) => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      if (entry.name === 'node_modules' || entry.name.startsWith('.')) continue
      const path = join(at, entry.name)
      if (entry.isDirectory()) walk(path)
      else {
        const { mtimeMs, size } = lstatSync(path)
        files.push(`${relative(folder, path)} ${mtimeMs} ${size}`)
      }
      if (files.length > FILES_MAX) throw new PluginProblem(`It has more than ${FILES_MAX} files.`)
    }
  }
  walk(folder)
  return new Bun.CryptoHasher('sha256').update(files.toSorted().join('\n')).digest('base64url')
}

/** Runs the plugin's code afresh, whatever was loaded from its folder before. @throws PluginProblem */
export async function load({ folder, main, print, manifest }: Readable, limits: Pick<Limits, 'loadMs'>): Promise<unknown> {
  provideApi()
  const cache = require.cache
  for (const path of Object.keys(cache)) if (path.startsWith(folder + sep)) delete cache[path]
  try {
    // The question mark makes it another module to the runtime; the files that it imports were forgotten above.
    const module = (await within(limits.loadMs, () => import(`${main}?v=${print}`))) as { default?: unknown }
    if (module.default === undefined) throw new PluginProblem('It has no default export; export default definePlugin({ … }).')
    demandSame(module.default as Partial<Manifest> | null, manifest)
    return module.default
  } catch (error) {
    throw error instanceof PluginProblem ? error : new PluginProblem(sentenceFor(error, folder, limits))
  }
}

/** The manifest is what an administrator reads; the code must not turn out to be something else. */
function demandSame(plugin: Partial<Manifest> | null, manifest: Manifest): void {
  for (const field of ['id', 'version'] as const)
    if (plugin?.[field] !== manifest[field])
      throw new PluginProblem(
        `Its ${field} is ${JSON.stringify(manifest[field])} in plugin.json and ${JSON.stringify(plugin?.[field])} in its code.`,
      )
}

type Message = { message: string; specifier?: unknown; position?: { file: string; line: number; column: number } | null }

function sentenceFor(error: unknown, folder: string, { loadMs }: Pick<Limits, 'loadMs'>): string {
  if (error instanceof TimeUp) return `It did not load within ${seconds(loadMs)}.`
  const [first = error] = error instanceof AggregateError ? error.errors : []
  const name = (first as Error | null)?.constructor?.name
  if (name === 'ResolveMessage') {
    const specifier = String((first as Message).specifier)
    return /^[./]/.test(specifier)
      ? `It imports ${JSON.stringify(specifier)}, which is missing.`
      : `It needs the package ${JSON.stringify(specifier)}, which is not installed. Run "BUN_BE_BUN=1 toolpass install" in its folder.`
  }
  if (name === 'BuildMessage') {
    const { message, position } = first as Message
    return position ? `${relative(folder, position.file)}, line ${position.line}: ${message}.` : `${message}.`
  }
  return `It threw while it was loaded: ${problemOf(first)}`
}

const provided = { done: false }

/**
 * `import … from 'toolpass/plugin'` gets the house's own module, in the executable too, where there is no file to find. Only
 * this name: were `zod` given in the same way, a plugin that brings another version would silently lose it.
 */
function provideApi(): void {
  // The runtime's table of modules is one for the process, and so is this mark.
  if (provided.done) return
  provided.done = true
  Bun.plugin({
    name: 'toolpass',
    setup: (build) => void build.module('toolpass/plugin', () => ({ exports: { ...api }, loader: 'object' })),
  })
}
