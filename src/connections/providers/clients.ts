/** The client that we are at each provider: registered there by an administrator, entered here once, its secret sealed. */
import { eq } from 'drizzle-orm'
import type { Audit } from '@/audit'
import type { Clock } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import { parseJson } from '@/lib/json.ts'
import {
  joinSettings,
  type JsonObject,
  type OAuthEndpoints,
  type OAuthProvider,
  type OAuthQuirks,
  type Plugins,
  splitSettings,
} from '@/plugins'
import { providerClients, type Sealer, type Store, type Writer } from '@/store'
import type { User } from '@/users'

/** A provider that is set up, with all that its plugin says of it under these settings. */
export type ProviderClient = {
  provider: OAuthProvider
  title: string
  settings: JsonObject & { clientId: string; clientSecret: string }
  endpoints: OAuthEndpoints | { discovery: string }
  quirks: OAuthQuirks
  /** Another one with each change: a sign-in that was begun under the old settings is not finished under the new. */
  version: number
}

type Deps = {
  store: Store
  sealer: Sealer
  audit: Audit
  clock: Clock
  plugins: Pick<Plugins, 'oauthProvider' | 'oauthProviders'>
  /** Its accounts were made with another client, or elsewhere: they are good for nothing now. */
  dropAccounts(tx: Writer, providerId: string): Promise<void>
}
type Row = typeof providerClients.$inferSelect

const placeOf = (id: string, version: number) => ({ table: 'provider_clients', row: id, column: 'sealed', owner: 'house', version })
const notHere = () => new Failure('not_found', { message: 'There is no such provider.' })

export function createProviderClients(deps: Deps) {
  const { store, sealer, plugins } = deps
  const rowOf = async (id: string): Promise<Row | undefined> =>
    (await store.read.select().from(providerClients).where(eq(providerClients.providerId, id)))[0]
  const secretOf = (row: Row) =>
    parseJson(sealer.open({ bytes: row.sealed, key: row.sealedKey }, placeOf(row.providerId, row.version))) as JsonObject

  const find = async (id: string): Promise<ProviderClient | undefined> => {
    const provider = plugins.oauthProvider(id)
    const row = provider && (await rowOf(id))
    if (!provider || !row) return undefined
    const settings = provider.settings.safeParse(joinSettings(provider, { plain: row.settings, secret: secretOf(row) }))
    return settings.success ? describe(provider, settings.data, row.version) : undefined
  }
  return {
    find,
    /** @throws Failure `not_found` */
    async demand(id: string): Promise<ProviderClient> {
      const found = await find(id)
      if (!found) throw new Failure('not_found', { message: 'This provider is not set up here. An administrator can do that.' })
      return found
    },
    async all(): Promise<{ provider: OAuthProvider; client: ProviderClient | undefined }[]> {
      return Promise.all(plugins.oauthProviders().map(async (provider) => ({ provider, client: await find(provider.id) })))
    },
    /** For the form: what is no secret, and which secrets there are. */
    async entered(id: string): Promise<{ plain: JsonObject; held: string[] } | undefined> {
      const row = await rowOf(id)
      if (!row) return undefined
      const secret = secretOf(row)
      return { plain: row.settings, held: Object.keys(secret).filter((name) => secret[name] !== '') }
    },
    ...createChanging(deps, { find, rowOf, secretOf }),
  }
}

type Reading = {
  find(id: string): Promise<ProviderClient | undefined>
  rowOf(id: string): Promise<Row | undefined>
  secretOf(row: Row): JsonObject
}

function createChanging(deps: Deps, { find, rowOf, secretOf }: Reading) {
  const { store, sealer, audit, clock, plugins, dropAccounts } = deps
  const told = (tx: Writer, by: User, action: string, subject: string) =>
    audit.report({ kind: 'admin', action, outcome: 'ok', userId: by.id, userName: by.username, subject }, tx)
  return {
    /** An empty secret is kept, but never sent to other addresses than it was entered for. @throws Failure `invalid_form`, `not_found` */
    async configure(by: User, id: string, asked: JsonObject): Promise<void> {
      const provider = plugins.oauthProvider(id)
      if (!provider) throw notHere()
      const [known, before] = await Promise.all([rowOf(id), find(id)])
      const version = (known?.version ?? 0) + 1
      const bare = describe(provider, demand(provider, asked), version)
      const isMoved = known !== undefined && !(before && goesTo(before) === goesTo(bare))
      const given = splitSettings(provider, asked).secret
      const kept = known && !isMoved ? { ...secretOf(known), ...given } : given
      const { plain, secret } = splitSettings(provider, demand(provider, { ...asked, ...kept }))
      const { bytes, key } = sealer.seal(JSON.stringify(secret), placeOf(id, version))
      const row = { settings: plain, sealed: bytes, sealedKey: key, version, updatedAt: clock() }
      await store.transact(async (tx) => {
        await tx
          .insert(providerClients)
          .values({ providerId: id, ...row })
          .onConflictDoUpdate({ target: providerClients.providerId, set: row })
        if (isMoved) await dropAccounts(tx, id)
        await told(tx, by, 'provider.configure', provider.title)
      })
    },
    async remove(by: User, id: string): Promise<void> {
      await store.transact(async (tx) => {
        await tx.delete(providerClients).where(eq(providerClients.providerId, id))
        await dropAccounts(tx, id)
        await told(tx, by, 'provider.remove', plugins.oauthProvider(id)?.title ?? id)
      })
    },
  }
}

function demand(provider: OAuthProvider, settings: JsonObject): JsonObject {
  const parsed = provider.settings.safeParse(settings)
  if (parsed.success) return parsed.data
  const fields: Record<string, string> = {}
  for (const issue of parsed.error.issues) fields[`settings.${String(issue.path[0] ?? '')}`] ??= issue.message
  throw new Failure('invalid_form', { fields })
}

/** A plugin's own functions run here; one that throws is a provider that cannot be used. */
function describe(provider: OAuthProvider, settings: JsonObject, version: number): ProviderClient {
  try {
    return {
      provider,
      title: provider.named?.(settings).slice(0, 60) || provider.title,
      settings: settings as ProviderClient['settings'],
      endpoints: provider.endpoints(settings),
      quirks: provider.quirks?.(settings) ?? {},
      version,
    }
  } catch (cause) {
    throw new Failure('upstream_failed', { message: `The plugin of ${provider.title} failed.`, cause })
  }
}

/** Where tokens and secrets go, and whose they are there. */
const goesTo = ({ endpoints, settings }: ProviderClient): string => JSON.stringify([endpoints, settings.clientId])
