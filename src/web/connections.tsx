import { z } from 'zod'
import type { Whose } from '@/grants'
import { Failure } from '@/lib/failure.ts'
import { ConnectionId } from '@/lib/ids.ts'
import type { User } from '@/users'
import { NewConnectionPage } from '@views/connection-new.tsx'
import { ConnectionPage } from '@views/connection.tsx'
import { ConnectionsPage, type Sharing } from '@views/connections.tsx'
import type { FormState } from '@views/parts/field.tsx'
import { Probe } from '@views/probe.tsx'
import { settingsFromText, settingsToText } from '@views/settings-form.tsx'
import {
  choicesOf,
  type ConnectionDeps,
  ownSecretsOf,
  secretsOf,
  probeOf,
  schemaOf,
  summaryOf,
  upstreamOf,
  usersOf,
  withoutSecrets,
} from './connection-facts.ts'
import { pausedWithOf } from './pauses.ts'
import { type ControlDeps, type Deed, standingOf, turnMany } from './control.ts'
import { Field, REFUSED, refused, textsOf } from './forms.ts'
import { type Connections as AllConnections, may } from '@/connections'
import type { Connector } from '@/plugins'
import { type LimitsDeps, limitsOfConnection } from './limits.tsx'
import type { Clock, Connection, Mounted, Page, Profiles, Seen } from './needs.ts'
import { inOrder, isEvery, wordsOf } from './offered.ts'
import { type ProgramDeps, programOf } from './programs.tsx'
import { type AccountDeps, accountOf } from './providers.tsx'
import { changesOfConnection } from './tool-changes.ts'
import { signInOf } from './upstream-sign-in.tsx'

type Deps = Page &
  LimitsDeps & { profiles: Pick<Profiles, 'list' | 'view'> } & Mounted &
  ControlDeps &
  ProgramDeps &
  ConnectionDeps & { clock: Clock; connections: Pick<AllConnections, 'signIn' | 'demand' | 'heldSecrets' | 'setOwnSecrets'> } & AccountDeps

/** How long after its end the steps of a probe are still worth showing on the page. */
const PROBE_SHOWN_MS = 60_000

const One = { params: z.object({ id: ConnectionId }) }
const Controlled = { ...One, body: z.object({ whose: z.enum(['own', 'everyone']) }) }
const Common = { name: Field, sharing: z.enum(['private', 'open', 'each']).default('private') }
// The other fields are the connector's own (`settings.<key>`), and it checks them itself.
const NewForm = z.looseObject({ ...Common, connector: Field })
const Form = z.looseObject(Common)
const sharedBy = (sharing: Sharing) => ({
  visibility: sharing === 'private' ? ('private' as const) : ('open' as const),
  credentialOf: sharing === 'each' ? ('each' as const) : ('owner' as const),
})

export const connectionsRoutes = (deps: Deps) => {
  const { doors, reply, shell, connections, plugins } = deps
  const newPage = async ({ request, user }: Seen, asked: string | undefined, form?: FormState) => {
    const choices = choicesOf(plugins, await connections.programs.mayDefineAny(user))
    const id = choices.length === 1 ? choices[0]?.id : choices.find((choice) => choice.id === asked)?.id
    const connector = id === undefined ? undefined : plugins.connector(id)
    const chosen = connector && { id: connector.id, schema: schemaOf(connector) }
    return <NewConnectionPage shell={shell.full(request, user)} connectors={choices} chosen={chosen} form={form} />
  }
  return doors
    .member('/connections')
    .get('/', async ({ request, user }) => {
      const reachable = await connections.list(user)
      const tools = await connections.tools(reachable.map(({ id }) => id))
      const count = (connection: Connection) => tools.filter((tool) => tool.connectionId === connection.id).length
      const summaries = await Promise.all(reachable.map((connection) => summaryOf(user, connection, count(connection), deps)))
      const isPaused = ({ id }: { id: string }) => pausedBy(deps, user, id as ConnectionId) !== undefined
      const shown = summaries.map((summary) => ({ ...summary, isPaused: isPaused(summary) }))
      return reply.page(<ConnectionsPage shell={shell.full(request, user)} connections={shown} />, { cookies: shell.said(request) })
    })
    .get('/new', async ({ query, ...seen }) => reply.page(await newPage(seen, query.connector), { cookies: shell.said(seen.request) }), {
      query: z.object({ connector: z.string().optional() }),
    })
    .post(
      '/',
      async ({ body, ...seen }) => {
        const connector = plugins.connector(body.connector)
        if (!connector) throw new Failure('connector_not_found')
        const values = textsOf(body)
        const settings = settingsFromText(schemaOf(connector), values)
        try {
          const { id } = await connections.add(seen.user, { connector: connector.id, name: body.name, ...sharedBy(body.sharing), settings })
          return reply.to(seen.request, `/connections/${id}`)
        } catch (error) {
          const form = refused(error, withoutSecrets(connector, values))
          return reply.page(await newPage(seen, connector.id, form), { status: REFUSED })
        }
      },
      { body: NewForm },
    )
}

export const connectionRoutes = (deps: Deps) => {
  const { doors, reply, shell, connections, plugins } = deps
  const probe = async ({ request, user }: Seen, connection: Connection) => {
    const props = await probeOf(user, connection, deps)
    // What was found changes the whole page (status, tools), so its end loads the page anew.
    const headers: Record<string, string> = props.done ? { 'hx-refresh': 'true' } : {}
    return reply.piece(request, <Probe {...props} />, `/connections/${connection.id}`, { headers })
  }
  const control = (seen: Seen, id: ConnectionId, whose: Whose, deed: Deed) =>
    turnMany(deps, seen, { subject: { kind: 'connection', id }, whose, back: `/connections/${id}` }, deed)
  return doors
    .member('/connections')
    .get(
      '/:id',
      async ({ params: { id }, ...seen }) => {
        const connection = await connections.demand(seen.user, id)
        return reply.page(await connectionPage(deps, seen, connection), { cookies: shell.said(seen.request) })
      },
      One,
    )
    .get('/:id/probe', async ({ params: { id }, ...seen }) => probe(seen, await connections.demand(seen.user, id)), One)
    .post(
      '/:id/check',
      async ({ params: { id }, ...seen }) => {
        const connection = await connections.demand(seen.user, id)
        await connections.check(seen.user, id)
        return probe(seen, connection)
      },
      One,
    )
    .post(
      '/:id',
      async ({ params: { id }, body, ...seen }) => {
        const connection = await connections.demand(seen.user, id)
        const connector = plugins.connector(connection.connector)
        if (!connector) throw new Failure('connector_not_found')
        const values = textsOf(body)
        try {
          const settings = settingsFromText(schemaOf(connector), values)
          await connections.update(seen.user, id, { name: body.name, ...sharedBy(body.sharing), settings })
          return reply.to(seen.request, `/connections/${id}`)
        } catch (error) {
          const form = refused(error, withoutSecrets(connector, values))
          return reply.page(await connectionPage(deps, seen, connection, form), { status: REFUSED })
        }
      },
      { ...One, body: Form },
    )
    .post(
      '/:id/credential',
      async ({ params: { id }, body, ...seen }) => {
        const connection = await connections.demand(seen.user, id)
        const connector = plugins.connector(connection.connector)
        if (!connector) throw new Failure('connector_not_found')
        const settings = settingsFromText(schemaOf(connector), textsOf(body))
        const secret = Object.fromEntries(secretsOf(connector).map((name) => [name, settings[name]]))
        try {
          await connections.setOwnSecrets(seen.user, id, secret, body.seen)
        } catch (error) {
          return reply.page(await connectionPage(deps, seen, connection, undefined, refused(error)), { status: REFUSED })
        }
        return reply.to(seen.request, `/connections/${id}`, { cookies: [reply.notice(seen.incoming, { tone: 'good', text: 'Saved.' })] })
      },
      { ...One, body: z.looseObject({ seen: Field.default('') }) },
    )
    .post('/:id/pause', ({ params, body, ...seen }) => control(seen, params.id, body.whose, 'pause'), Controlled)
    .post('/:id/resume', ({ params, body, ...seen }) => control(seen, params.id, body.whose, 'resume'), Controlled)
    .post('/:id/revoke', ({ params, body, ...seen }) => control(seen, params.id, body.whose, 'revoke'), Controlled)
    .post(
      '/:id/delete',
      async ({ request, incoming, user, params: { id } }) => {
        const { name } = await connections.demand(user, id)
        await connections.remove(user, id)
        return reply.to(request, '/connections', { cookies: [reply.notice(incoming, { tone: 'good', text: `${name} is deleted.` })] })
      },
      One,
    )
}

/** Of both, what its owner did: nobody else can lift it. */
const pausedBy = ({ control }: Pick<Deps, 'control'>, user: User, id: ConnectionId) =>
  control.paused(user, { kind: 'connection', id }, 'everyone') ?? control.paused(user, { kind: 'connection', id }, 'own')

async function connectionPage(
  deps: Deps,
  { request, incoming, user }: Seen,
  connection: Connection,
  form?: FormState,
  ownForm?: FormState,
) {
  const { shell, connections, plugins, clock } = deps
  const { id, problem } = connection
  const offered = inOrder(await connections.everything([id]))
  const tools = offered.filter(({ feature }) => feature === 'tool')
  const [summary, probe, usedBy] = await Promise.all([
    summaryOf(user, connection, tools.length, deps),
    probeOf(user, connection, deps),
    usersOf(user, connection, deps),
  ])
  const isRecent = !probe.done || clock() - (connection.checkedAt ?? 0) < PROBE_SHOWN_MS
  const connector = plugins.connector(connection.connector)
  const { change: isOwn } = may(user, connection)
  const whose: Whose = isOwn ? 'everyone' : 'own'
  const control = await standingOf(deps, user, { kind: 'connection', id }, whose)
  const paused = pausedBy(deps, user, id)
  const signIn = await signInOf(deps, user, incoming, connection)
  const held = await connections.heldSecrets(user, id)
  const edit = isOwn && connector ? editOf(connection, connector, held, form) : undefined
  const own = connector && !isOwn ? ownSecretsOf(user, connection, connector, held) : undefined
  const fix = edit ? 'Change its settings below, or check it again when the other side is back.' : 'Tell its owner.'
  return (
    <ConnectionPage
      shell={shell.full(request, user)}
      connection={{ ...summary, upstream: upstreamOf(connection), fix: problem === null ? undefined : fix }}
      tools={tools.map((tool) => ({ name: tool.name, kind: tool.kind, contextCost: tool.contextCost, ...wordsOf(tool) }))}
      others={offered
        .filter((tool) => tool.feature !== 'tool' && !isEvery(tool))
        .map((tool) => ({ feature: tool.feature, isEvery: false, name: tool.name, ...wordsOf(tool) }))}
      program={isOwn && connector?.definedBy === 'administrator' ? await programOf(deps, connection) : undefined}
      log={isOwn && connector?.definedBy === 'administrator' ? connections.logTail(id) : undefined}
      signIn={signIn}
      account={await accountOf(deps, user, connection)}
      probe={probe.steps.length > 0 && isRecent ? probe : undefined}
      edit={edit}
      limits={edit && limitsOfConnection(deps, id)}
      changed={await changesOfConnection(deps, user, id)}
      trust={connection.ownerId === user.id ? connection.trustsChanges : undefined}
      own={own && { ...own, form: ownForm }}
      control={{ ...control, whose }}
      paused={paused && pausedWithOf(paused)}
      usedBy={usedBy}
    />
  )
}

function editOf(connection: Connection, connector: Connector, held: readonly string[], form: FormState | undefined) {
  const schema = schemaOf(connector)
  return { schema, saved: settingsToText(schema, connection.settings), sealed: held, ...(form ? { form } : {}) }
}
