/** Registered apps: all of them for administrators, one's own for everybody. */
import { z } from 'zod'
import { admissionOf } from '@/clients'
import type { Usage } from '@/grants'
import { Failure } from '@/lib/failure.ts'
import { ClientId, type UserId } from '@/lib/ids.ts'
import type { Users } from '@/users'
import { ClientMadePage, NewClientPage, type NewClientPageProps } from '@views/client-new.tsx'
import { ClientPage } from '@views/client.tsx'
import { ClientRow, ClientsPage, type ClientSummary } from '@views/clients.tsx'
import { authenticationOf, knownAs, redirectHostsOf, verificationOf } from './app-facts.ts'
import { standingOf } from './control.ts'
import { Field, REFUSED, refused } from './forms.ts'
import type { Client, Control, Grants, ListedClient, Page, Registry, Seen } from './needs.ts'

type Deps = Page & {
  clients: Registry
  grants: Pick<Grants, 'usageByClient' | 'usersOfClient' | 'revokeForClient'>
  control: Pick<Control, 'met' | 'paused'>
  users: Pick<Users, 'list'>
}
type Names = ReadonlyMap<UserId, string>

const PAGE_ROWS_MAX = 50

const One = { params: z.object({ id: ClientId }) }
const Back = { ...One, body: z.object({ from: Field.optional() }).nullish() }

// A filter that makes no sense is none: an empty field of the form, an address that somebody cut short.
const Query = z.object({
  q: z.string().trim().min(1).max(200).optional().catch(undefined),
  kind: z.enum(['dynamic', 'registered', 'document', 'script']).optional().catch(undefined),
  state: z.enum(['admitted', 'waits', 'not-listed', 'blocked']).optional().catch(undefined),
  page: z.coerce.number().int().min(1).max(100_000).catch(1),
})
type Query = z.infer<typeof Query>

const NewClient = z.object({ name: Field.default(''), redirect_uris: Field.default(''), confidential: Field.optional() })

export const clientsRoutes = (deps: Deps) => {
  const { doors, clients } = deps
  return doors
    .admin('/admin/clients')
    .get('/', (seen) => list(deps, seen, seen.query), { query: Query })
    .get('/new', async (seen) => deps.reply.page(newPage(deps, seen)))
    .post('/', ({ body, ...seen }) => preregister(deps, seen, body), { body: NewClient })
    .post('/documents', ({ body: { url }, ...seen }) => listDocument(deps, seen, url.trim()), { body: z.object({ url: Field }) })
    .post(
      '/policy',
      async ({ body: { admits }, ...seen }) => {
        await clients.setPolicy(seen.user, admits, await inUse(deps))
        return said(deps, seen, '/admin/clients', 'Saved. It holds for the next app that asks.')
      },
      { body: z.object({ admits: z.enum(['everyone', 'approved', 'listed']) }) },
    )
    .get('/:id', async ({ params, ...seen }) => one(deps, seen, await demand(deps, params.id)), One)
    .post('/:id/approve', ({ params, body, ...seen }) => decide(deps, seen, params.id, body?.from, 'approve'), Back)
    .post('/:id/block', ({ params, body, ...seen }) => decide(deps, seen, params.id, body?.from, 'block'), Back)
    .post('/:id/unblock', ({ params, body, ...seen }) => decide(deps, seen, params.id, body?.from, 'unblock'), Back)
    .post('/:id/remove', ({ params, ...seen }) => remove(deps, seen, params.id), One)
}

const said = ({ reply }: Deps, { request, incoming }: Seen, path: string, text: string) =>
  reply.to(request, path, { cookies: [reply.notice(incoming, { tone: 'good', text })] })

/** Those that users let in now. */
async function inUse({ grants }: Deps, usage?: ReadonlyMap<ClientId, Usage>): Promise<ClientId[]> {
  return [...(usage ?? (await grants.usageByClient()))].filter(([, { live }]) => live > 0).map(([id]) => id)
}

const shortNameOf = (client: Client) => client.name.slice(0, 60) || 'The app'

async function demand({ clients }: Deps, id: ClientId): Promise<Client> {
  const client = await clients.findById(id)
  if (!client) throw new Failure('client_not_found')
  return client
}

const namesOf = async ({ users }: Deps): Promise<Names> => new Map((await users.list()).map(({ id, username }) => [id, username]))

/** What the table shows of these clients: however many they are, one query says who uses them. */
async function summariesOf(deps: Deps, chosen: readonly ListedClient[], known?: ReadonlyMap<ClientId, Usage>): Promise<ClientSummary[]> {
  const { clients, grants } = deps
  const ids = chosen.map(({ id }) => id)
  const [usage, names, policy] = await Promise.all([known ?? grants.usageByClient(ids), namesOf(deps), clients.policy()])
  return chosen.map((client) => {
    const used = usage.get(client.id)
    const owner = client.createdBy === null ? undefined : names.get(client.createdBy)
    return {
      id: client.id,
      name: client.name,
      kind: client.kind,
      verification: client.kind === 'script' && owner ? `access token of ${owner}` : verificationOf(client),
      state: admissionOf(client, policy),
      redirectHosts: redirectHostsOf(client),
      createdAt: client.createdAt,
      lastUsedAt: Math.max(client.lastUsedAt ?? 0, used?.lastUsedAt ?? 0) || null,
      users: used?.users ?? 0,
      apps: used?.live ?? 0,
    }
  })
}

async function list(deps: Deps, { request, user }: Seen, query: Query) {
  const { reply, shell, clients, grants } = deps
  const { q, kind, state, page } = query
  const [policy, usage] = await Promise.all([clients.policy(), grants.usageByClient()])
  const start = (page - 1) * PAGE_ROWS_MAX
  // A token that has ended is history: it is found where tokens are asked for.
  const alive = await inUse(deps, usage)
  const { found, total, waiting } = await clients.page({ q, kind, state, alive, start, rows: PAGE_ROWS_MAX })
  const rows = await summariesOf(deps, found, usage)
  const shown = (
    <ClientsPage
      shell={shell.full(request, user)}
      clients={rows}
      total={total}
      filter={{ q, kind, state }}
      filtered={(q ?? kind ?? state) !== undefined}
      waiting={waiting}
      policy={policy}
      earlierHref={page > 1 ? addressOf({ ...query, page: page - 1 }) : undefined}
      laterHref={start + PAGE_ROWS_MAX < total ? addressOf({ ...query, page: page + 1 }) : undefined}
    />
  )
  return reply.page(shown, { cookies: shell.said(request) })
}

function addressOf({ page, ...filter }: Query): string {
  const params = new URLSearchParams(Object.entries(filter).filter((pair): pair is [string, NonNullable<(typeof pair)[1]>] => !!pair[1]))
  if (page > 1) params.set('page', String(page))
  return `/admin/clients${params.size > 0 ? `?${params}` : ''}`
}

async function one(deps: Deps, { request, user }: Seen, client: Client) {
  const { reply, shell, grants } = deps
  const [[summary], usage, names] = await Promise.all([summariesOf(deps, [client]), grants.usersOfClient(client.id), namesOf(deps)])
  const control = await standingOf(deps, user, { kind: 'client', id: client.id }, 'everyone')
  const { identifier, redirectUris, createdFrom, createdBy, approvedAt, blockedAt, expiresAt, fetchedAt } = client
  const page = (
    <ClientPage
      shell={shell.full(request, user)}
      client={{
        ...(summary as ClientSummary),
        ...{ identifier, redirectUris, createdFrom, approvedAt, blockedAt, expiresAt, fetchedAt },
        authentication: authenticationOf(client),
        knownAs: knownAs(client),
        createdBy: createdBy === null ? undefined : names.get(createdBy),
      }}
      control={control}
      users={usage.map(({ userId, live, lastUsedAt }) => ({ username: names.get(userId) ?? 'unknown user', apps: live, lastUsedAt }))}
    />
  )
  return reply.page(page, { cookies: shell.said(request) })
}

const newPage = ({ shell }: Deps, { request, user }: Seen, forms: Omit<NewClientPageProps, 'shell'> = {}) => (
  <NewClientPage shell={shell.full(request, user)} {...forms} />
)

/** A secret is answered with its page, not by a redirect: it is in no address, cookie or log, and shown this once. */
async function preregister(deps: Deps, seen: Seen, body: z.infer<typeof NewClient>) {
  const { reply, shell, clients } = deps
  const { name, redirect_uris, confidential } = body
  const redirectUris = redirect_uris
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
  try {
    const { client, secret } = await clients.preregister(seen.user, { name, redirectUris, confidential: confidential === 'on' })
    if (secret === undefined)
      return said(deps, seen, `/admin/clients/${client.id}`, `${shortNameOf(client)} is registered. Give it its client ID.`)
    return reply.page(<ClientMadePage shell={shell.full(seen.request, seen.user)} client={client} secret={secret} />)
  } catch (error) {
    const form = refused(error, { name, redirect_uris, ...(confidential ? { confidential } : {}) })
    return reply.page(newPage(deps, seen, { form }), { status: REFUSED })
  }
}

async function listDocument(deps: Deps, seen: Seen, url: string) {
  try {
    const client = await deps.clients.listDocument(seen.user, url)
    return said(deps, seen, `/admin/clients/${client.id}`, `${shortNameOf(client)} is listed.`)
  } catch (error) {
    return deps.reply.page(newPage(deps, seen, { documentForm: refused(error, { url }) }), { status: REFUSED })
  }
}

const DONE = {
  approve: 'may be let in now.',
  block: 'is blocked. It is refused from now on.',
  unblock: 'is let in again where it was.',
}

async function decide(deps: Deps, seen: Seen, id: ClientId, from: string | undefined, deed: keyof typeof DONE) {
  const { reply, clients } = deps
  await demand(deps, id)
  await clients[deed](seen.user, id)
  const client = await demand(deps, id)
  if (from !== 'list') return said(deps, seen, `/admin/clients/${id}`, `${shortNameOf(client)} ${DONE[deed]}`)
  const [summary] = await summariesOf(deps, [client])
  return reply.piece(seen.request, <ClientRow client={summary as ClientSummary} />, '/admin/clients')
}

/** Its grants first, so that their streams close and each leaves a row in the audit trail. */
async function remove(deps: Deps, seen: Seen, id: ClientId) {
  const { clients, grants } = deps
  const client = await demand(deps, id)
  await grants.revokeForClient(seen.user, id, 'client_removed')
  await clients.remove(seen.user, id)
  return said(deps, seen, '/admin/clients', `${shortNameOf(client)} is deleted.`)
}
