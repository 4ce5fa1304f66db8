/** Programs that run on this machine: who may have some, what runs, what protects. */
import { z } from 'zod'
import { type Connections, may } from '@/connections'
import { ConnectionId, UserId } from '@/lib/ids.ts'
import { type Programs, whatItFetches } from '@/lib/programs.ts'
import type { User, Users } from '@/users'
import type { FormState } from '@views/parts/field.tsx'
import type { ProgramFoldProps } from '@views/parts/protections.tsx'
import { Fetches, type ProgramRow, ProgramsPage, type RestingRow } from '@views/programs.tsx'
import { Field, REFUSED, Repeated, refused, repeated } from './forms.ts'
import type { Connection, Page, Plugins, Seen } from './needs.ts'

export type ProgramDeps = { connections: Pick<Connections, 'programs'>; programs: Pick<Programs, 'running' | 'protections'> }
type Deps = Page &
  ProgramDeps & { users: Pick<Users, 'list' | 'find'>; plugins: Pick<Plugins, 'connector'>; config: { programIdleSeconds: number } }

const PolicyForm = z.object({ user_id: Repeated(UserId), commands: Field.default('') })
const StopForm = z.object({ connection_id: ConnectionId, user_id: UserId })
const FetchesForm = z.object({ 'settings.command': Field.default(''), 'settings.args': Field.default('') })

const linesOf = (text: string): string[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean)

export const programsRoutes = (deps: Deps) => {
  const { doors, reply, shell, connections } = deps
  const said = ({ request, incoming }: Seen, text: string) =>
    reply.to(request, '/admin/programs', { cookies: [reply.notice(incoming, { tone: 'good', text })] })
  return doors
    .admin('/admin/programs')
    .get('/', async (seen) => reply.page(await page(deps, seen), { cookies: shell.said(seen.request) }))
    .post(
      '/policy',
      async ({ body, ...seen }) => {
        try {
          await connections.programs.setPolicy(seen.user, { users: repeated(body.user_id), commands: linesOf(body.commands) })
        } catch (error) {
          return reply.page(await page(deps, seen, refused(error, { commands: body.commands })), { status: REFUSED })
        }
        return said(seen, 'Saved. What may not run any more is stopped.')
      },
      { body: PolicyForm },
    )
    .post(
      '/stop',
      async ({ body, ...seen }) => {
        await connections.programs.stop(seen.user, body.connection_id, body.user_id)
        return said(seen, 'Stopped. It starts again when it is next used.')
      },
      { body: StopForm },
    )
}

/** For the form of a new connection, while it is filled in. */
export const programFetchesRoutes = ({ doors, reply }: Page) =>
  doors.member('/programs').post(
    '/fetches',
    ({ request, body }) => {
      const text = whatItFetches(body['settings.command'].trim(), linesOf(body['settings.args']))
      return reply.piece(request, <Fetches text={text} />, '/connections/new')
    },
    { body: FetchesForm },
  )

async function page(deps: Deps, { request, user }: Seen, form?: FormState) {
  const { shell, connections, programs, users, config } = deps
  const [policy, everybody, running, resting] = await Promise.all([
    connections.programs.policy(),
    users.list(),
    runningRows(deps, user),
    restingRows(deps, user),
  ])
  const members = everybody
    .filter(({ role, disabledAt }) => role === 'member' && disabledAt === null)
    .map(({ id, username }) => ({ id, username, allowed: policy.users.includes(id) }))
  return (
    <ProgramsPage
      shell={shell.full(request, user)}
      running={running}
      resting={resting}
      protections={programs.protections()}
      members={members}
      commands={policy.commands ?? []}
      idleSeconds={config.programIdleSeconds}
      form={form}
    />
  )
}

async function runningRows({ connections, programs, users, plugins }: Deps, reader: User): Promise<ProgramRow[]> {
  const [running, channels] = await Promise.all([programs.running(), connections.programs.channels()])
  const rows = running.map(async (program): Promise<ProgramRow[]> => {
    const channel = channels.find(({ programKey }) => programKey === program.key)
    // One that ends just now, or one of a plugin that keeps it for itself.
    if (!channel) return []
    const { connection, credentialOf, state, inFlight, usedAt } = channel
    const named = await namesOf(users, reader, connection, credentialOf)
    const command = summaryOf(plugins, connection)
    return [{ ...named, ...program, since: program.startedAt, command, use: state === 'open' ? { inFlight, usedAt } : undefined }]
  })
  return (await Promise.all(rows)).flat()
}

async function restingRows({ connections, users }: Deps, reader: User): Promise<RestingRow[]> {
  const resting = await connections.programs.resting()
  return Promise.all(
    resting.map(async ({ connection, credentialOf, until, problem }) => ({
      ...(await namesOf(users, reader, connection, credentialOf)),
      until,
      problem,
    })),
  )
}

async function namesOf(users: Pick<Users, 'find'>, reader: User, connection: Connection, credentialOf: UserId) {
  const name = (await users.find(credentialOf))?.username ?? 'somebody who is gone'
  const { id, name: connectionName } = connection
  return { connection: { id, name: connectionName }, seen: may(reader, connection).change, user: { id: credentialOf, name } }
}

function summaryOf(plugins: Pick<Plugins, 'connector'>, { connector, settings }: Connection): string {
  try {
    return plugins.connector(connector)?.summary(settings) ?? ''
  } catch {
    return ''
  }
}

/** What the page of a connection says of its program, to those who may change it. */
export async function programOf({ connections, programs }: ProgramDeps, connection: Connection): Promise<ProgramFoldProps> {
  const { command, args } = connection.settings
  const isIts = ({ connectionId, credentialOf }: { connectionId: string; credentialOf: string }) =>
    connectionId === connection.id && credentialOf === connection.ownerId
  const channel = (await connections.programs.channels()).find(isIts)
  const resting = (await connections.programs.resting()).find(isIts)
  const running = channel && (await programs.running()).find(({ key }) => key === channel.programKey)
  return {
    protections: programs.protections(),
    fetches: typeof command === 'string' ? whatItFetches(command, Array.isArray(args) ? args.map(String) : []) : undefined,
    running: running && { ...running, since: running.startedAt, inFlight: channel.inFlight },
    resting,
  }
}
