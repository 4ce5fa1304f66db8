/** From what was read to connections: what each would become, secrets hidden, and then the making of those that were picked. */
import { Failure, isFailure } from '@/lib/failure.ts'
import { type Connector, type JsonObject, type Plugins, settingsForm } from '@/plugins'
import type { User } from '@/users'
import { type Draft, filledIn, hidesSecret, type Import } from './import.ts'
import type { Connection, NewConnection } from './rows.ts'

type Connectors = Pick<Plugins, 'connector'>
type Deps = { connections: { add(user: User, asked: NewConnection): Promise<Connection> }; plugins: Connectors }

/** What a draft would become. */
export type Preview = {
  at: number
  /** What the file calls it. */
  key: string
  /** A free name. */
  name: string
  connector: string
  /** The address or the command line, secrets hidden. */
  summary: string
  /** Names of what is sealed. */
  sealed: string[]
  warnings: string[]
  /** Why it cannot be made. */
  problem: string | undefined
  /** Whether it is proposed. */
  picked: boolean
}

const HIDDEN = '••••'
const NAME_CHARS_MAX = 60

/** The legacy transport is also spoken by the connector that knows both. */
export const connectorFor = (plugins: Connectors, id: string): Connector | undefined =>
  plugins.connector(id) ?? (id === 'sse' ? plugins.connector('streamable-http') : undefined)

/** `Linear`, or `Linear 2` where the user has a Linear already. */
export function freeName(wanted: string, taken: readonly string[]): string {
  const stem = wanted.trim().slice(0, NAME_CHARS_MAX).trim() || 'Server'
  const used = new Set(taken.map((name) => name.toLowerCase()))
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? stem : `${stem} ${count}`
    if (!used.has(name.toLowerCase())) return name
  }
}

/** @param mayRunPrograms of the one it is for */
export function previewOf(read: Import, own: readonly Connection[], plugins: Connectors, mayRunPrograms: boolean): Preview[] {
  const taken = own.map(({ name }) => name)
  return read.drafts.map((draft, at) => {
    const name = freeName(draft.name, taken)
    const connector = connectorFor(plugins, draft.connector)
    const isForbidden = connector?.definedBy === 'administrator' && !mayRunPrograms
    const twin = own.find((it) => isSame(it, draft))
    const warnings = [...draft.warnings]
    if (name !== draft.name && draft.problem === undefined) warnings.push(`The name “${draft.name}” is taken.`)
    if (draft.isOff) warnings.push('It is switched off in the file.')
    if (twin) warnings.push(`You have it already, as “${twin.name}”.`)
    taken.push(name)
    return {
      ...{ at, key: draft.key, name, warnings },
      connector: connector?.title ?? draft.connector,
      summary: summaryOf(draft),
      sealed: connector ? secretsOf(connector).flatMap((setting) => Object.keys((draft.settings[setting] ?? {}) as object)) : [],
      problem: draft.problem ?? (isForbidden ? 'It is a program that runs here. An administrator can add it, or allow you to.' : undefined),
      picked: draft.problem === undefined && !isForbidden && !draft.isOff && !twin,
    }
  })
}

/** The address without what its query holds, or the command line without what follows a flag such as `--api-key`. */
function summaryOf({ settings }: Draft): string {
  const { url, command, args } = settings
  if (typeof url === 'string') return url.replace(/([?&][^=&#]+)=[^&#]*/g, `$1=${HIDDEN}`)
  const list = Array.isArray(args) ? args.map(String) : []
  const shown = list.map((arg, at) => (hidesSecret(arg, list[at - 1]) ? arg.replace(/^(--?[\w-]+=)?.*$/s, `$1${HIDDEN}`) : arg))
  return [String(command ?? ''), ...shown].join(' ')
}

const isSame = ({ settings }: Connection, draft: Draft): boolean =>
  typeof draft.settings['url'] === 'string'
    ? settings['url'] === draft.settings['url']
    : typeof settings['command'] === 'string' &&
      JSON.stringify([settings['command'], settings['args']]) === JSON.stringify([draft.settings['command'], draft.settings['args']])

const secretsOf = (connector: Connector): string[] =>
  Object.entries(settingsForm(connector).properties).flatMap(([name, { secret }]) => (secret === true ? [name] : []))

type Picked = { at: number; name: string }
type Made = { made: { id: string; name: string }[]; refused: { name: string; problem: string }[] }

/** Each by itself: one that is refused takes no other with it. */
export async function makeFromImport(
  { connections, plugins }: Deps,
  user: User,
  read: Import,
  asked: {
    picked: readonly Picked[]
    values: Readonly<Record<string, string>>
    shared: { visibility: 'private' | 'open'; credentialOf: 'owner' | 'each' }
  },
): Promise<Made> {
  const result: Made = { made: [], refused: [] }
  for (const { at, name } of asked.picked) {
    const draft = read.drafts[at]
    if (!draft || draft.problem !== undefined) continue
    const shown = name.trim() || draft.name
    try {
      const open = draft.variables.find((each) => !asked.values[each.name]?.trim())
      if (open) throw new Failure('invalid_form', { message: `“${open.name.replace(/^(input|env):/, '')}” was left empty.` })
      const connector = connectorFor(plugins, draft.connector)
      if (!connector) throw new Failure('connector_not_found')
      const settings = filledIn(draft.settings, asked.values) as JsonObject
      const { id } = await connections.add(user, { connector: connector.id, name: shown, ...asked.shared, settings })
      result.made.push({ id, name: shown })
    } catch (error) {
      if (!isFailure(error)) throw error
      result.refused.push({ name: shown, problem: Object.values(error.fields).join(' ') || error.message })
    }
  }
  return result
}
