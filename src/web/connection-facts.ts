/** Connections in the words of the pages. */
import { type AccountUse, type Connections as AllConnections, markOf, may } from '@/connections'
import { type Clock, DAY_MS } from '@/lib/clock.ts'
import { type Connector, type JsonObject, settingsForm } from '@/plugins'
import type { User, Users } from '@/users'
import type { ConnectorChoice } from '@views/connection-new.tsx'
import type { ConnectionState, ConnectionSummary } from '@views/connections.tsx'
import type { ProbeProps } from '@views/probe.tsx'
import type { SettingsSchema } from '@views/settings-form.tsx'
import { isEvery } from './offered.ts'
import type { Connection, Connections, Plugins, Profiles } from './needs.ts'

export type ConnectionDeps = {
  connections: Connections & Pick<AllConnections, 'signIn'>
  plugins: Plugins
  profiles: Pick<Profiles, 'list' | 'view'>
  users: Pick<Users, 'find'>
}

const runsHere = (connector: Connector) => connector.definedBy === 'administrator'

/** What the reader may not add, they do not even see. */
export const choicesOf = (plugins: Plugins, mayRun: boolean): ConnectorChoice[] =>
  plugins
    .connectors()
    .filter((connector) => mayRun || !runsHere(connector))
    .map((connector) => ({
      id: connector.id,
      title: connector.title,
      description: connector.description,
      allowed: true,
      runsHere: runsHere(connector),
    }))

export const schemaOf = (connector: Connector): SettingsSchema => settingsForm(connector) as SettingsSchema

/** Names of the settings that are sealed: they go into no page, a refused form's least of all. */
export const secretsOf = (connector: Connector): string[] =>
  Object.entries(settingsForm(connector).properties).flatMap(([name, { secret }]) => (secret === true ? [name] : []))

export function withoutSecrets(connector: Connector, values: Readonly<Record<string, string>>): Record<string, string> {
  const secret = new Set(secretsOf(connector).map((name) => `settings.${name}`))
  return Object.fromEntries(Object.entries(values).filter(([name]) => !secret.has(name)))
}

/** The form for a user's own secrets; undefined where there is nothing of their own to enter. */
export function ownSecretsOf(user: User, connection: Connection, connector: Connector, sealed: readonly string[]) {
  const { properties = {}, required = [], ...form } = schemaOf(connector)
  const secret = new Set(secretsOf(connector))
  if (!may(user, connection).signIn || secret.size === 0 || connection.auth !== 'settings') return undefined
  const own = Object.fromEntries(Object.entries(properties).filter(([name]) => secret.has(name)))
  return { schema: { ...form, properties: own, required: required.filter((name) => secret.has(name)) }, sealed, mark: markOf(connection) }
}

const STATES: Record<Connection['status'], ConnectionState> = { new: 'unchecked', ready: 'ok', failing: 'trouble' }

export async function summaryOf(user: User, connection: Connection, tools: number, deps: ConnectionDeps): Promise<ConnectionSummary> {
  const connector = deps.plugins.connector(connection.connector)
  const owner = connection.ownerId === user.id ? undefined : (await deps.users.find(connection.ownerId))?.username
  return {
    id: connection.id,
    name: connection.name,
    connector: connector?.title ?? `${connection.connector} (its plugin is missing)`,
    summary: connector ? addressOf(connector, connection.settings) : '',
    state: await stateOf(user, connection, deps.connections),
    problem: connection.problem ?? undefined,
    tools,
    sharing: connection.visibility === 'open' && connection.credentialOf === 'each' ? 'each' : connection.visibility,
    owner,
    checkedAt: connection.checkedAt ?? undefined,
  }
}

async function stateOf(user: User, connection: Connection, connections: ConnectionDeps['connections']): Promise<ConnectionState> {
  if (!connections.probeOf(connection.id).done) return 'checking'
  const isWaiting = connection.auth === 'oauth' && connection.status === 'failing' && may(user, connection).signIn
  const found = isWaiting ? await connections.signIn.stateOf(user, connection.id) : undefined
  const wantsUser = found !== undefined && found.state !== 'not-needed' && found.state !== 'signed-in'
  return wantsUser ? 'sign-in' : STATES[connection.status]
}

/** A sign-in that nobody renews is worth a word so long before its end. */
const SAID_BEFORE_MS = 3 * DAY_MS

/** What a user should see to: connections that fail, and sign-ins that have ended or are about to. */
export async function troublesOf(
  user: User,
  reachable: readonly Connection[],
  { connections, clock }: { connections: Pick<AllConnections, 'signIn' | 'providers'>; clock: Clock },
): Promise<{ id: string; name: string; problem: string }[]> {
  const found = await Promise.all(
    reachable.map(async (connection) => {
      const problem = (await signInProblem(user, connection, connections, clock())) ?? failure(connection)
      return problem === undefined ? [] : [{ id: connection.id, name: connection.name, problem }]
    }),
  )
  return found.flat()
}

const failure = ({ status, problem }: Connection) => (status === 'failing' ? (problem ?? 'It does not answer.') : undefined)

async function signInProblem(
  user: User,
  connection: Connection,
  { signIn, providers }: Pick<AllConnections, 'signIn' | 'providers'>,
  now: number,
) {
  if (connection.auth === 'provider' && may(user, connection).signIn)
    return accountProblem(await providers.stateOf(connection, user.id), now)
  if (connection.auth !== 'oauth' || !may(user, connection).signIn) return undefined
  const found = await signIn.stateOf(user, connection.id)
  if (found.state === 'not-needed') return undefined
  if (found.state !== 'signed-in') return found.problem ?? 'It needs a sign-in.'
  const isEnding = !found.isRenewed && found.expiresAt !== undefined && found.expiresAt - now < SAID_BEFORE_MS
  return isEnding ? 'Its sign-in ends soon and cannot be renewed. Sign in again to go on without a gap.' : undefined
}

function accountProblem(found: AccountUse, now: number): string | undefined {
  if (found.state === 'missing') return 'It needs an account. Choose one on its page.'
  if (!('name' in found)) return undefined
  if (found.state !== 'ok') return found.problem ?? 'Its account needs a sign-in.'
  const isEnding = !found.isRenewed && found.expiresAt !== null && found.expiresAt - now < SAID_BEFORE_MS
  return isEnding ? 'The sign-in of its account ends soon and cannot be renewed. Sign in again to go on without a gap.' : undefined
}

/** A plugin's code runs here: when it throws, the page is shown without this line. */
function addressOf(connector: Connector, settings: JsonObject): string {
  try {
    return connector.summary(settings)
  } catch {
    return ''
  }
}

export async function probeOf(user: User, { id }: Connection, deps: ConnectionDeps): Promise<ProbeProps> {
  const { steps, done } = deps.connections.probeOf(id)
  const [offered, profiles] = await Promise.all([deps.connections.everything([id]), deps.profiles.list(user.id)])
  return {
    connectionId: id,
    steps,
    done,
    offers: offered.filter((tool) => !isEvery(tool)).length,
    profiles: profiles.map((profile) => ({ id: profile.id, title: profile.title })),
  }
}

/** What the upstream said of itself when it was opened: its own words, of any shape. */
export function upstreamOf({ upstream, revision }: Connection) {
  if (!upstream || !revision) return undefined
  const info = (upstream['serverInfo'] ?? {}) as Record<string, unknown>
  const text = (name: string) => (typeof info[name] === 'string' ? info[name] : undefined)
  return { name: text('name') ?? 'unnamed', title: text('title'), version: text('version'), revision }
}

export async function usersOf(user: User, { id }: Connection, { profiles }: ConnectionDeps): Promise<{ id: string; title: string }[]> {
  const own = await profiles.list(user.id)
  const views = await Promise.all(own.map((profile) => profiles.view(profile.id)))
  return views
    .filter(({ servers }) => servers.some(({ connectionId }) => connectionId === id))
    .map(({ profile }) => ({ id: profile.id, title: profile.title }))
}
