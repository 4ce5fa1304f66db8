import { z } from 'zod'
import { Failure } from '@/lib/failure.ts'
import { GrantId, ProfileId, ToolId } from '@/lib/ids.ts'
import { type Oauth, resourceAddress } from '@/oauth'
import type { FormState } from '@views/parts/field.tsx'
import { NewTokenPage, TokenMadePage, TokenProfilePage, TokenRow, type TokenSummary, TokensPage } from '@views/tokens.tsx'
import { type AppDeps, appOf, withClients } from './app-facts.ts'
import { heldBy, SEARCH_COST, switchesOf } from './offered.ts'
import { Field, REFUSED, refused, Repeated, repeated } from './forms.ts'
import type { Client, Grant, Grants, Mounted, Page, Profile, Profiles, Seen } from './needs.ts'

type Deps = Page &
  Mounted &
  AppDeps & {
    profiles: Pick<Profiles, 'list' | 'view' | 'ensureFirst'>
    grants: Pick<Grants, 'listForUser' | 'demand' | 'revoke'>
    oauth: Pick<Oauth, 'issueScriptToken'>
  }

const NewToken = z.object({
  profile: ProfileId,
  name: Field.default(''),
  tool_id: Repeated(ToolId),
  expires: z.enum(['day', 'month', 'year', 'never']),
})

export const tokensRoutes = (deps: Deps) => {
  const { doors, reply, shell, grants, profiles } = deps
  return doors
    .member('/apps/tokens')
    .get('/', async ({ request, user }) => {
      const scripts = await withClients(await grants.listForUser(user.id), deps, (client) => client?.kind === 'script')
      const tokens = await Promise.all(scripts.map(({ grant, client }) => tokenOf(deps, grant, client)))
      return reply.page(<TokensPage shell={shell.full(request, user)} tokens={tokens} />, { cookies: shell.said(request) })
    })
    .get(
      '/new',
      async ({ query, ...seen }) => {
        await profiles.ensureFirst(seen.user)
        const own = await profiles.list(seen.user.id)
        const chosen = own.length === 1 ? own[0] : own.find(({ id }) => id === query.profile)
        return reply.page(chosen ? await newPage(deps, seen, chosen, own.length > 1) : await choicePage(deps, seen, own))
      },
      { query: z.object({ profile: ProfileId.optional().catch(undefined) }) },
    )
    .post('/', ({ body, ...seen }) => make(deps, seen, body), { body: NewToken })
    .post(
      '/:id/revoke',
      async ({ request, user, params: { id } }) => {
        await grants.revoke(user, id)
        const grant = await grants.demand(user.id, id)
        const token = await tokenOf(deps, grant, await deps.clients.findById(grant.clientId))
        return reply.piece(request, <TokenRow token={token} />, '/apps/tokens')
      },
      { params: z.object({ id: GrantId }) },
    )
}

async function tokenOf(deps: Deps, grant: Grant, client: Client | undefined): Promise<TokenSummary> {
  const { id, client: name, profile, holds, status, createdAt } = await appOf(grant, deps, client)
  return { id, name, profile, holds, status, createdAt, lastUsedAt: grant.lastUsedAt, expiresAt: grant.expiresAt }
}

async function choicePage({ shell, profiles }: Deps, { request, user }: Seen, own: readonly Profile[]) {
  const counted = await Promise.all(own.map(async ({ id, title }) => ({ id, title, holds: heldBy((await profiles.view(id)).offered) })))
  return <TokenProfilePage shell={shell.full(request, user)} profiles={counted} />
}

type Posted = { form: FormState; toolIds: readonly ToolId[] }

async function newPage(deps: Deps, { request, incoming, user }: Seen, profile: Profile, several: boolean, posted?: Posted) {
  const { shell, profiles, addresses } = deps
  const view = await profiles.view(profile.id)
  const offered = switchesOf(view.offered, ({ toolId, kind }) => (posted ? posted.toolIds.includes(toolId) : kind !== 'destructive'))
  const searchCost = profile.delivery === 'search' ? SEARCH_COST : undefined
  const url = resourceAddress({ origin: incoming.origin, base: addresses.base }, profile.name)
  const { id, title } = profile
  return (
    <NewTokenPage
      shell={shell.full(request, user)}
      profile={{ id, title, url }}
      several={several}
      tools={offered}
      searchCost={searchCost}
      form={posted?.form}
    />
  )
}

/** Answers with the page itself, not a redirect: the token is in no address, cookie or log, and shown this once. */
async function make(deps: Deps, seen: Seen, body: z.infer<typeof NewToken>) {
  const { reply, shell, profiles, oauth, grants, addresses } = deps
  const { request, incoming, user } = seen
  const own = await profiles.list(user.id)
  const profile = own.find(({ id }) => id === body.profile)
  if (!profile) throw new Failure('profile_not_found')
  const { name, expires } = body
  const toolIds = repeated(body.tool_id)
  const house = { origin: incoming.origin, base: addresses.base }
  try {
    const asked = { ...house, name, profileId: profile.id, toolIds, expires, address: incoming.address }
    const { token: secret, grantId, resource } = await oauth.issueScriptToken(user, asked)
    const { id, expiresAt } = await grants.demand(user.id, grantId)
    const token = { id, name, secret, profile: profile.title, expiresAt }
    const ready = { curl: curlFor(resource, secret), configuration: configurationFor(profile.name, resource, secret) }
    return reply.page(<TokenMadePage shell={shell.full(request, user)} token={token} {...ready} />)
  } catch (error) {
    const form = refused(error, { name, expires })
    return reply.page(await newPage(deps, seen, profile, own.length > 1, { form, toolIds }), { status: REFUSED })
  }
}

const META = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} }
const LIST = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: META } })

/** Nothing in it needs quoting: an address of ours, our own token, and a body that we wrote. */
const curlFor = (url: string, token: string) => `TOOLPASS_TOKEN='${token}'
curl -sS '${url}' \\
  -H "Authorization: Bearer $TOOLPASS_TOKEN" \\
  -H 'Content-Type: application/json' \\
  -H 'Accept: application/json, text/event-stream' \\
  -H 'MCP-Protocol-Version: 2026-07-28' \\
  -H 'Mcp-Method: tools/list' \\
  -d '${LIST}'`

const configurationFor = (name: string, url: string, token: string) =>
  JSON.stringify({ mcpServers: { [name]: { type: 'http', url, headers: { Authorization: `Bearer ${token}` } } } }, null, 2)
