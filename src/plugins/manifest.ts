import { readFileSync, realpathSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'
import { z } from 'zod'

/** The plugin API that this house speaks. It goes up when a plugin written for the one before could break. */
export const API_VERSION = 1
export const MANIFEST_FILE = 'plugin.json'
const MANIFEST_BYTES_MAX = 64 * 1024

/** What a plugin says of itself, readable without running any of its code. Fields that we do not know are left alone. */
const Manifest = z.object({
  id: z.string().regex(/^[a-z][a-z0-9-]{1,63}$/, 'must be 2 to 64 small letters, digits and dashes'),
  version: z.string().regex(/^\d+\.\d+\.\d+[\w.+-]{0,40}$/, 'must be a version such as 1.0.0'),
  title: z.string().min(1).max(200),
  description: z.string().max(500).default(''),
  main: z
    .string()
    .max(200)
    .regex(/\.(ts|tsx|js|mjs|jsx)$/, 'must name a .ts or .js file')
    .default('index.ts'),
  api: z.number().int(),
})
export type Manifest = z.infer<typeof Manifest>

/** Why a plugin does not run, in a sentence. */
export class PluginProblem extends Error {
  override readonly name = 'PluginProblem'
}

/** @param folder its real path @returns the manifest, and the real path of `main` @throws PluginProblem */
export function readManifest(folder: string): { manifest: Manifest; main: string } {
  const read = Manifest.safeParse(parse(textOf(within(folder, MANIFEST_FILE))))
  if (!read.success) {
    const [issue] = read.error.issues
    throw new PluginProblem(`${MANIFEST_FILE}: ${issue?.path.join('.') || 'the whole'}: ${issue?.message ?? 'wrong shape'}.`)
  }
  const manifest = read.data
  if (manifest.api !== API_VERSION)
    throw new PluginProblem(`It is written for version ${manifest.api} of the plugin API; this Toolpass speaks version ${API_VERSION}.`)
  return { manifest, main: within(folder, manifest.main) }
}

/** The real path of a file of the plugin. A link or `..` that leads out of its folder would let a manifest name any file here. */
function within(folder: string, name: string): string {
  const path = realPathOf(join(folder, name))
  if (path === undefined) throw new PluginProblem(`${name} is missing.`)
  if (!path.startsWith(folder + sep)) throw new PluginProblem(`${name} leads out of the plugin's folder.`)
  if (!statSync(path).isFile()) throw new PluginProblem(`${name} is no file.`)
  return path
}

function realPathOf(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

function textOf(path: string): string {
  if (statSync(path).size > MANIFEST_BYTES_MAX) throw new PluginProblem(`${MANIFEST_FILE} is larger than ${MANIFEST_BYTES_MAX} bytes.`)
  return readFileSync(path, 'utf8')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new PluginProblem(`${MANIFEST_FILE} is not valid JSON.`)
  }
}
