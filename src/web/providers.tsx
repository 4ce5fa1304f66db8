/** Accounts at providers: set up by administrators, signed in to by each user, chosen for a connection. */
import { z } from 'zod'
import {
  type Connections as AllConnections,
  markOf,
  may,
  type Place,
  type PlaceKind,
  placesOf,
  providerCallback,
  useOf,
} from '@/connections'
import type { Incoming } from '@/http/incoming.ts'
import { Failure, isFailure } from '@/lib/failure.ts'
import { ConnectionId, CredentialId } from '@/lib/ids.ts'
import { type OAuthProvider, type Plugins, settingsForm } from '@/plugins'
import type { Session, User } from '@/users'
import { type AccountSummary, AccountSignInPage, AccountsPage } from '@views/accounts.tsx'
import type { ConnectionAccountProps, PlaceChoice } from '@views/connection-account.tsx'
import type { FormState } from '@views/parts/field.tsx'
import { ProviderPage, ProvidersPage } from '@views/providers.tsx'
import { type SettingsSchema, settingsFromText, settingsToText } from '@views/settings-form.tsx'
import { GoingPage } from '@views/upstream-sign-in.tsx'
import { Field, REFUSED, Repeated, refused, repeated, textsOf } from './forms.ts'
import type { Connection, Mounted, Page } from './needs.ts'

export type AccountDeps = {
  connections: Pick<AllConnections, 'demand' | 'providers'>
  plugins: Pick<Plugins, 'connector' | 'oauthProvider'>
}
type Deps = Page & Mounted & AccountDeps
type Seen = { request: Request; incoming: Incoming; session: Session; user: User }

const ProviderId = z.string().regex(/^[a-z][a-z0-9-]{1,31}$/)
const OfProvider = { params: z.object({ provider: ProviderId }) }
const One = { params: z.object({ id: ConnectionId }) }
/** An id, or the empty field of a form that has none. */
const Maybe = <Id extends z.ZodType>(id: Id) => z.union([z.literal('').transform(() => undefined), id]).optional()
const SignInForm = z.object({
  account: Maybe(CredentialId),
  connection: Maybe(ConnectionId),
  seen: Field.default(''),
  scope: Repeated(z.string().max(200)),
  more: Field.default(''),
})

const homeOf = ({ addresses }: Mounted, { incoming }: Pick<Seen, 'incoming'>) => ({ origin: incoming.origin, base: addresses.base })
const CHANGED = 'You are signed in, but the connection was changed meanwhile. Look where it leads, then choose the account there.'
const sentenceOf = (error: Failure): string => Object.values(error.fields).join(' ') || error.message

export const providersRoutes = (deps: Deps) => {
  const { doors, reply, shell, connections } = deps
  const { providers } = connections
  const said = (seen: Seen, text: string) =>
    reply.to(seen.request, '/admin/providers', { cookies: [reply.notice(seen.incoming, { tone: 'good', text })] })
  return doors
    .admin('/admin/providers')
    .get('/', async ({ request, user }) =>
      reply.page(<ProvidersPage shell={shell.full(request, user)} providers={await summariesOf(deps)} />, { cookies: shell.said(request) }),
    )
    .get(
      '/:provider',
      async ({ params, ...seen }) => reply.page(await providerPage(deps, seen, demandProvider(deps, params.provider))),
      OfProvider,
    )
    .post(
      '/:provider',
      async ({ params, body, ...seen }) => {
        const provider = demandProvider(deps, params.provider)
        const values = textsOf(body)
        try {
          await providers.configure(seen.user, provider.id, settingsFromText(schemaOf(provider), values))
        } catch (error) {
          const form = refused(error, withoutSecrets(provider, values))
          return reply.page(await providerPage(deps, seen, provider, form), { status: REFUSED })
        }
        return said(seen, `${provider.title} is set up.`)
      },
      { ...OfProvider, body: z.looseObject({}) },
    )
    .post(
      '/:provider/remove',
      async ({ params, ...seen }) => {
        const { id, title } = demandProvider(deps, params.provider)
        await providers.remove(seen.user, id)
        return said(seen, `${title} is removed.`)
      },
      OfProvider,
    )
}

function demandProvider({ plugins }: AccountDeps, id: string): OAuthProvider {
  const provider = plugins.oauthProvider(id)
  if (!provider) throw new Failure('not_found', { message: 'There is no such provider.' })
  return provider
}

const schemaOf = (provider: OAuthProvider): SettingsSchema => settingsForm(provider) as SettingsSchema

function withoutSecrets(provider: OAuthProvider, values: Readonly<Record<string, string>>): Record<string, string> {
  const { properties } = settingsForm(provider)
  return Object.fromEntries(Object.entries(values).filter(([name]) => properties[name.replace('settings.', '')]?.secret !== true))
}

const summariesOf = async ({ connections: { providers } }: AccountDeps) =>
  Promise.all(
    (await providers.all()).map(async ({ provider, client }) => ({
      ...{ id: provider.id, title: client?.title ?? provider.title, description: provider.description },
      ...{ isSetUp: client !== undefined, accounts: await providers.countOf(provider.id) },
    })),
  )

async function providerPage(deps: Deps, seen: Seen, provider: OAuthProvider, form?: FormState) {
  const { shell, connections } = deps
  const [summaries, entered] = await Promise.all([summariesOf(deps), connections.providers.entered(provider.id)])
  const summary = summaries.find(({ id }) => id === provider.id)
  if (!summary) throw new Failure('not_found')
  const schema = schemaOf(provider)
  return (
    <ProviderPage
      shell={shell.full(seen.request, seen.user)}
      provider={{ ...summary, registerAt: provider.registerAt }}
      callback={providerCallback(homeOf(deps, seen), provider.id)}
      schema={schema}
      saved={settingsToText(schema, entered?.plain ?? {})}
      sealed={entered?.held ?? []}
      form={form}
    />
  )
}

export const accountsRoutes = (deps: Deps) => {
  const { doors, reply, shell, connections } = deps
  const { providers } = connections
  const said = (seen: Seen, text: string, tone: 'good' | 'bad' = 'good', path = '/connections/accounts') =>
    reply.to(seen.request, path, { cookies: [reply.notice(seen.incoming, { tone, text })] })
  return doors
    .member('/connections/accounts')
    .get('/', async ({ request, user }) => reply.page(await accountsPage(deps, request, user), { cookies: shell.said(request) }))
    .get('/:provider/sign-in', async ({ params, query, ...seen }) => reply.page(await signInPage(deps, seen, params.provider, query)), {
      ...OfProvider,
      query: z.object({ account: CredentialId.optional().catch(undefined), connection: ConnectionId.optional().catch(undefined) }),
    })
    .post(
      '/:provider/sign-in',
      async ({ params: { provider }, body: { account, connection, seen: seenFor, scope, more }, ...seen }) => {
        const returnTo = connection ? `/connections/${connection}` : '/connections/accounts'
        try {
          if (connection) await connections.demand(seen.user, connection)
          const { to, title } = await providers.begin(seen.session, provider, {
            ...{ home: homeOf(deps, seen), returnTo, scopes: [...repeated(scope), ...more.split(/\s+/).filter(Boolean)] },
            ...(account && { accountId: account }),
            ...(connection && { connection: { id: connection, seenFor } }),
          })
          // A page and not a redirect: Chromium holds the form's `form-action` against the redirect that follows it.
          return reply.page(<GoingPage shell={shell.bare(seen.request)} name={title} to={to} host={new URL(to).host} />)
        } catch (error) {
          if (!isFailure(error, 'upstream_unauthorized') && !isFailure(error, 'upstream_failed')) throw error
          return said(seen, error.message, 'bad', returnTo)
        }
      },
      { ...OfProvider, body: SignInForm },
    )
    .get(
      '/:provider/callback',
      async ({ params: { provider }, ...seen }) => {
        try {
          const { returnTo, title, isChosen } = await providers.finish(seen.session, provider, new URL(seen.request.url).searchParams)
          if (!isChosen) return said(seen, CHANGED, 'bad', returnTo)
          return said(seen, `Signed in to ${title}.`, 'good', returnTo)
        } catch (error) {
          if (!isFailure(error)) throw error
          return said(seen, error.message, 'bad')
        }
      },
      OfProvider,
    )
    .post(
      '/disconnect',
      async ({ body, ...seen }) => {
        await providers.disconnect(seen.user, body.account)
        return said(seen, 'Disconnected. What Toolpass held is destroyed.')
      },
      { body: z.object({ account: CredentialId }) },
    )
}

async function accountsPage({ shell, connections: { providers }, plugins }: Deps, request: Request, user: User) {
  const [own, all] = await Promise.all([providers.list(user.id), providers.all()])
  const titleOf = (id: string) => all.find(({ provider }) => provider.id === id)?.client?.title ?? plugins.oauthProvider(id)?.title ?? id
  const accounts = await Promise.all(
    own.map(async (account): Promise<AccountSummary> => {
      const { id, providerId, accountName: name, status: state, problem, expiresAt, isRefreshable } = account
      const used = await providers.connectionsOf(account)
      return {
        ...{ id, name, state, problem, expiresAt, isRenewed: isRefreshable === true },
        provider: { id: providerId, title: titleOf(providerId) },
        connections: used.map((row) => ({ id: row.id, name: row.name })),
      }
    }),
  )
  const offered = all.flatMap(({ provider: { id }, client }) => (client ? [{ id, title: client.title }] : []))
  return <AccountsPage shell={shell.full(request, user)} accounts={accounts} providers={offered} isAdmin={user.role === 'admin'} />
}

async function signInPage(
  { shell, connections, plugins }: Deps,
  { request, user }: Seen,
  providerId: string,
  asked: { account?: CredentialId | undefined; connection?: ConnectionId | undefined },
) {
  const { providers } = connections
  const found = (await providers.all()).find(({ provider }) => provider.id === providerId)
  if (!found?.client) throw new Failure('not_found', { message: 'This provider is not set up here. An administrator can do that.' })
  const { provider, client } = found
  const account = asked.account && (await providers.account({ id: asked.account, userId: user.id }))
  const connection = asked.connection && (await connections.demand(user, asked.connection))
  const held = account?.scope?.split(' ').filter(Boolean)
  const always = client.quirks.scopes ?? []
  const listed = new Set([...always, ...provider.scopes.map(({ name }) => name)])
  return (
    <AccountSignInPage
      shell={shell.full(request, user)}
      provider={{ id: provider.id, title: client.title }}
      scopes={provider.scopes.map(({ name, description, default: isDefault }) => ({
        ...{ name, description },
        on: isDefault === true || held?.includes(name) === true,
      }))}
      always={always}
      more={held?.filter((scope) => !listed.has(scope)).join(' ') ?? ''}
      account={account && { id: account.id, name: account.accountName }}
      connection={
        connection && { id: connection.id, name: connection.name, leadsTo: leadsTo(plugins, connection), mark: markOf(connection) }
      }
    />
  )
}

/** A plugin's code runs here: when it throws, the page is shown without these words. */
function leadsTo(plugins: AccountDeps['plugins'], { connector, settings }: Connection): string {
  try {
    return plugins.connector(connector)?.summary(settings) ?? ''
  } catch {
    return ''
  }
}

const UseForm = z.object({ provider: ProviderId, place: z.string().max(200), name: Field.default(''), format: Field.default('') })

export const connectionAccountRoutes = ({ doors, reply, connections: { providers } }: Deps) => {
  const done = (seen: Seen, id: ConnectionId, text: string, tone: 'good' | 'bad' = 'good') =>
    reply.to(seen.request, `/connections/${id}`, { cookies: [reply.notice(seen.incoming, { tone, text })] })
  return doors
    .member('/connections')
    .post(
      '/:id/account/use',
      async ({ params: { id }, body, ...seen }) => {
        try {
          await providers.setUse(seen.user, id, { provider: body.provider, place: placeFrom(body) })
        } catch (error) {
          if (!isFailure(error, 'invalid_form')) throw error
          return done(seen, id, sentenceOf(error), 'bad')
        }
        return done(seen, id, 'Saved. Choose an account now.')
      },
      { ...One, body: UseForm },
    )
    .post(
      '/:id/account/end',
      async ({ params: { id }, ...seen }) => {
        await providers.endUse(seen.user, id)
        return done(seen, id, 'It uses its own settings again.')
      },
      One,
    )
    .post(
      '/:id/account/choose',
      async ({ params: { id }, body, ...seen }) => {
        try {
          await providers.choose(seen.user, id, body.account, body.seen)
        } catch (error) {
          if (!isFailure(error, 'invalid_form')) throw error
          return done(seen, id, sentenceOf(error), 'bad')
        }
        return done(seen, id, body.account ? 'This account is used from now on.' : 'No account is used any more.')
      },
      { ...One, body: z.object({ account: Maybe(CredentialId), seen: Field.default('') }) },
    )
}

/** What the form says, for the room to check. */
function placeFrom({ place, name, format }: z.infer<typeof UseForm>): object {
  const [kind, field] = place.split(/:(.*)/s)
  if (kind === 'header') return { kind, name: name.trim() || 'Authorization', format: format.trim() || 'Bearer {token}' }
  if (kind === 'env') return { kind, name: name.trim() }
  return { kind, field, ...(name.trim() === '' ? {} : { key: name.trim() }) }
}

/** What the page of a connection shows of it; undefined where there is nothing to show or to do. */
export async function accountOf({ connections: { providers }, plugins }: AccountDeps, user: User, connection: Connection) {
  const { change: mayChange, signIn: isOwn, credentialOf } = may(user, connection)
  const connector = plugins.connector(connection.connector)
  const use = useOf(connection)
  const configured = (await providers.all()).flatMap(({ provider: { id }, client }) => (client ? [{ id, title: client.title }] : []))
  const places = connector ? placesOf(connector, connection).map(choiceOf) : []
  const isOffered = mayChange && connection.auth === 'settings' && configured.length > 0 && places.length > 0
  if (!use && !isOffered) return undefined
  const about = { connectionId: connection.id, mark: markOf(connection), mayChange, providers: configured, places }
  if (!use) return about satisfies ConnectionAccountProps
  const state = await providers.stateOf(connection, credentialOf)
  const own = isOwn ? (await providers.list(user.id)).filter(({ providerId }) => providerId === use.provider) : []
  const title = configured.find(({ id }) => id === use.provider)?.title ?? `${use.provider} (not set up)`
  // Of somebody else's account a reader learns how it is, and not what it is called.
  const account = 'name' in state ? { ...state, id: use.accounts[credentialOf] ?? '', name: isOwn ? state.name : null } : undefined
  return {
    ...about,
    use: {
      ...{ provider: { id: use.provider, title }, place: placeInWords(use.place), isOwn, account },
      accounts: own.map(({ id, accountName: name }) => ({ id, name })),
    },
  } satisfies ConnectionAccountProps
}

function choiceOf(place: PlaceKind): PlaceChoice {
  if (place.kind === 'header') return { value: 'header', label: 'A header of each request', wants: 'name-and-format' }
  if (place.kind === 'env') return { value: 'env', label: 'A variable of the program', wants: 'name' }
  const label = place.isRecord ? `An entry of “${place.title}”` : `The setting “${place.title}”`
  return { value: `setting:${place.field}`, label, wants: place.isRecord ? 'name' : 'nothing' }
}

function placeInWords(place: Place): string {
  if (place.kind === 'header') return `the header ${place.name}`
  if (place.kind === 'env') return `the variable ${place.name}`
  return place.key === undefined ? `the setting ${place.field}` : `the entry ${place.key} of ${place.field}`
}
