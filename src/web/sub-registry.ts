/**
 * Our profiles, offered in the words of the MCP registry API to a client that reads one. They are private, so each request
 * carries a session or an access token that its user made for a script; apps that act for somebody are shown nothing else than
 * their own profile, and that at its MCP endpoint.
 */
import { z } from 'zod'
import { type Catalogue, search } from '@/catalogue'
import type { Incoming } from '@/http/incoming.ts'
import type { ClientId, ProfileId, UserId } from '@/lib/ids.ts'
import type { Client, Mounted, Page, Profiles } from './needs.ts'

type Deps = Pick<Page, 'doors'> &
  Mounted & {
    catalogue: Pick<Catalogue, 'list'>
    profiles: Pick<Profiles, 'list'>
    clients: { findById(id: ClientId): Promise<Client | undefined> }
    oauth: { verify(bearer: string): Promise<{ userId: UserId; clientId: ClientId; profileId: ProfileId; paused?: boolean } | undefined> }
  }
type Server = Record<string, unknown> & { name: string; title?: string | undefined; description: string }
type Asked = { request: Request; incoming: Incoming; session: { user: { id: UserId } } | undefined }

const PAGE_MAX = 100
const PAGE_DEFAULT = 30
const SCHEMA = 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json'
const OFFICIAL = 'io.modelcontextprotocol.registry/official'

const Query = z.object({
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).catch(PAGE_DEFAULT),
  cursor: z.string().max(400).optional().catch(undefined),
  search: z.string().trim().max(200).catch(''),
  include: z.string().max(40).optional().catch(undefined),
})
type Query = z.output<typeof Query>

export const subRegistryRoutes = (deps: Deps) =>
  deps.doors
    .open('/v0.1/servers')
    .get('/', async ({ request, incoming, session, query }) => listOf(deps, { request, incoming, session }, query), { query: Query })
    .get(
      '/:name/versions/latest',
      async ({ request, incoming, session, params }) => {
        const user = await userOf(deps, { request, incoming, session })
        if (!user) return stranger()
        const servers = [...(await profilesOf(deps, incoming, user)), ...(await catalogueOf(deps, ''))]
        const found = servers.find(({ name }) => name === params.name)
        return found ? answer(itemOf(found)) : answer({ error: 'There is no such server.' }, 404)
      },
      { params: z.object({ name: z.string().max(400) }) },
    )

const answer = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  Response.json(body, { status, headers: { 'cache-control': 'private, no-store', vary: 'Authorization, Cookie', ...headers } })

const stranger = () => answer({ error: 'Sign in, or send an access token for scripts.' }, 401, { 'www-authenticate': 'Bearer' })

/** Who asks. A token that an app was given by consent is for its profile's endpoint and opens nothing here. */
async function userOf({ oauth, clients }: Deps, { request, session }: Asked): Promise<UserId | undefined> {
  if (session) return session.user.id
  const bearer = /^Bearer +([\w.~+/=-]+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]
  const verified = bearer === undefined ? undefined : await oauth.verify(bearer)
  if (!verified || verified.paused) return undefined
  return (await clients.findById(verified.clientId))?.kind === 'script' ? verified.userId : undefined
}

async function listOf(deps: Deps, asked: Asked, { limit, cursor, search: q, include }: Query): Promise<Response> {
  const user = await userOf(deps, asked)
  if (!user) return stranger()
  const wanted = q.toLowerCase()
  const own = (await profilesOf(deps, asked.incoming, user)).filter((server) =>
    `${server.name}\n${server.title}\n${server.description}`.toLowerCase().includes(wanted),
  )
  const servers = [...own, ...(include === 'catalogue' ? await catalogueOf(deps, q) : [])]
  // The last name of the page before: it stays right when something is added or goes in between.
  const after = cursor === undefined ? -1 : servers.findIndex(({ name }) => name === cursor)
  if (cursor !== undefined && after < 0) return answer({ error: 'This cursor is not known any more. Begin again.' }, 400)
  const page = servers.slice(after + 1, after + 1 + limit)
  const last = page.at(-1)
  const more = last !== undefined && after + 1 + limit < servers.length
  return answer({ servers: page.map(itemOf), metadata: { count: page.length, ...(more ? { nextCursor: last.name } : {}) } })
}

const catalogueOf = async ({ catalogue }: Deps, q: string): Promise<Server[]> =>
  search(await catalogue.list(), { q }).map(({ entry }) => entry)

async function profilesOf({ profiles, addresses }: Deps, { origin }: Incoming, user: UserId): Promise<Server[]> {
  const space = new URL(origin).hostname
    .replace(/^\[|\]$/g, '')
    .replaceAll(':', '-')
    .split('.')
    .reverse()
    .join('.')
  return (await profiles.list(user)).map((profile) => ({
    $schema: SCHEMA,
    name: `${space}/${profile.name}`,
    title: profile.title,
    description: `The profile “${profile.title}” of Toolpass.`.slice(0, 100),
    version: '1.0.0',
    remotes: [{ type: 'streamable-http', url: `${origin}${addresses.base}/mcp/${profile.name}` }],
  }))
}

const itemOf = (server: Server) => ({ server, _meta: { [OFFICIAL]: { status: 'active', isLatest: true } } })
