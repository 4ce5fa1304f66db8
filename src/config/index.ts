/** Settings from flag, environment, `*_FILE`, `toolpass.yaml` and default, in that order; checked together and frozen. */
import { existsSync, readFileSync } from 'node:fs'
import type { z } from 'zod'
import { ConfigProblem } from './problem.ts'
import { asFileKey, asFlag, asVariable, SECRET_SETTINGS, SETTING_NAMES, type SettingName, Settings } from './settings.ts'

export { ConfigProblem } from './problem.ts'
export { rootKey } from './secrets.ts'
export { asFlag, SETTING_NAMES, type SettingName, Settings } from './settings.ts'

export type Config = Readonly<Settings>

export type Sources = {
  flags: Partial<Record<SettingName, string>>
  env: Record<string, string | undefined>
  /** The settings file, `toolpass.yaml` in the working folder by default. */
  file?: string
}

type Found = { value: unknown; from: string }

/** @throws ConfigProblem */
export function loadConfig(sources: Sources): Config {
  const inFile = readSettingsFile(sources.file ?? 'toolpass.yaml', sources.file !== undefined)
  refuseUnknown(sources.env, inFile)
  const found = new Map<SettingName, Found>()
  for (const name of SETTING_NAMES) {
    const value = find(name, sources, inFile)
    if (value) found.set(name, value)
  }
  const parsed = Settings.safeParse(Object.fromEntries([...found].map(([name, { value }]) => [name, value])))
  if (!parsed.success) throw new ConfigProblem(sentence(parsed.error.issues[0] as z.core.$ZodIssue, found))
  crossCheck(parsed.data)
  return Object.freeze(parsed.data)
}

/** The environment, for the commands that pass it on. The only place that reads it. */
export const environment = (): Record<string, string | undefined> => process.env

function find(name: SettingName, { flags, env }: Sources, inFile: Record<string, unknown>): Found | undefined {
  if (flags[name] !== undefined) return { value: flags[name], from: `--${asFlag(name)}` }
  const variable = asVariable(name)
  // An empty variable is what compose files make of an unset one.
  if (env[variable]) return { value: env[variable], from: variable }
  const path = env[`${variable}_FILE`]
  if (path) return { value: readSecretFile(`${variable}_FILE`, path), from: `${variable}_FILE` }
  const value = inFile[asFileKey(name)]
  return value === undefined || value === null ? undefined : { value, from: asFileKey(name) }
}

function readSecretFile(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    throw new ConfigProblem(`${variable} names ${path}, which cannot be read.`)
  }
}

function readSettingsFile(path: string, wanted: boolean): Record<string, unknown> {
  if (!existsSync(path)) {
    if (wanted) throw new ConfigProblem(`The settings file ${path} does not exist.`)
    return {}
  }
  try {
    const content: unknown = Bun.YAML.parse(readFileSync(path, 'utf8')) ?? {}
    if (typeof content === 'object' && !Array.isArray(content)) return content as Record<string, unknown>
  } catch (error) {
    throw new ConfigProblem(`${path} is not valid YAML: ${(error as Error).message.split('\n')[0]}`)
  }
  throw new ConfigProblem(`${path} must be a list of settings, like "port: 8080".`)
}

function refuseUnknown(env: Sources['env'], inFile: Record<string, unknown>): void {
  const variables = new Set(SETTING_NAMES.flatMap((name) => [asVariable(name), `${asVariable(name)}_FILE`]))
  for (const name of Object.keys(env))
    if (name.startsWith('TOOLPASS_') && !variables.has(name))
      throw new ConfigProblem(`There is no setting ${name}.${nearest(name, variables)}`)
  const keys = new Set(SETTING_NAMES.map(asFileKey))
  for (const name of Object.keys(inFile))
    if (!keys.has(name)) throw new ConfigProblem(`There is no setting "${name}".${nearest(name, keys)}`)
}

/** "Did you mean …", when one letter or two are off. */
function nearest(name: string, known: Iterable<string>): string {
  const close = [...known].find((each) => distance(each, name) <= 2)
  return close ? ` Did you mean ${close}?` : ''
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1))
    row = next
  }
  return row[b.length] ?? 0
}

function sentence(issue: z.core.$ZodIssue, found: Map<SettingName, Found>): string {
  const name = issue.path[0] as SettingName
  const { value, from } = found.get(name) ?? { value: undefined, from: asVariable(name) }
  const shown = SECRET_SETTINGS.has(name) ? '' : ` is ${JSON.stringify(value)}:`
  return `${from}${shown} ${issue.message.replace(/^Invalid input: /, '')}. ${Settings.shape[name].description}.`
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

function crossCheck(config: Settings): void {
  const { url } = config
  if (url?.protocol === 'http:' && !LOOPBACK.test(url.hostname) && !config.insecureHttp)
    throw new ConfigProblem(
      `TOOLPASS_URL is ${url.href}: plain http would send passwords and tokens in clear over the network. Use https, or set TOOLPASS_INSECURE_HTTP=true.`,
    )
  if ((config.adminUsername === undefined) !== (config.adminPassword === undefined))
    throw new ConfigProblem('TOOLPASS_ADMIN_USERNAME and TOOLPASS_ADMIN_PASSWORD go together; one of them is missing.')
}
