/** The client that we are at an upstream's authorization server. */
import { eq } from 'drizzle-orm'
import type { Clock } from '@/lib/clock.ts'
import { Failure } from '@/lib/failure.ts'
import type { ConnectionId } from '@/lib/ids.ts'
import { parseJson } from '@/lib/json.ts'
import { type Sealer, type Store, upstreamClients, type Writer } from '@/store'
import type { GuardedFetch, Place } from './discovery.ts'
import { type OAuthClientInformationMixed, sdk } from './sdk.ts'

/** Where we are reached, as the browser of this sign-in sees it. */
export type Home = { origin: string; base: string }
export type ClientRow = typeof upstreamClients.$inferSelect
export type OwnClient = { issuer: string; how: ClientRow['how']; information: OAuthClientInformationMixed; redirectUri?: string }

/** Authorization servers that know loopback redirects only: nobody listens there, the person pastes the final address. */
export const PASTE_REDIRECT = 'http://localhost:38921/callback'
const CLIENT_NAME = 'Toolpass'

export const documentAddress = ({ origin, base }: Home): string => `${origin}${base}/oauth/client.json`
/** Where providers send people back to, and authorization servers that prove in their answer who they are (RFC 9207). */
export const sharedCallback = ({ origin, base }: Home): string => `${origin}${base}/connections/callback`
/** One for each connection: without a proof, only the address tells whose answer came back (RFC 9700 §4.4.2.2). */
export const callbackAddress = (home: Home, id: ConnectionId): string => `${sharedCallback(home)}/${id}`

/** Our own client metadata document, for upstreams that take one. */
export const clientDocument = (home: Home) => ({
  client_id: documentAddress(home),
  ...metadataFor(sharedCallback(home)),
  client_uri: home.origin,
})

const provesItself = ({ metadata }: Place): boolean =>
  (metadata as Record<string, unknown>)['authorization_response_iss_parameter_supported'] === true
/** Our document names one address to come back to, so it is for servers that prove who answers. */
const takesDocument = (place: Place, home: Home): boolean =>
  (place.metadata as Record<string, unknown>)['client_id_metadata_document_supported'] === true &&
  home.origin.startsWith('https:') &&
  provesItself(place)

const metadataFor = (redirectUri: string) => ({
  client_name: CLIENT_NAME,
  redirect_uris: [redirectUri],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
  application_type: redirectUri.startsWith('https:') ? 'web' : 'native',
})

export function createOwnClients({ store, sealer, clock }: { store: Store; sealer: Sealer; clock: Clock }) {
  const placeOf = (id: ConnectionId, version: number) => ({ table: 'upstream_clients', row: id, column: 'sealed', owner: id, version })

  const find = async (id: ConnectionId): Promise<OwnClient | undefined> => {
    const [row] = await store.read.select().from(upstreamClients).where(eq(upstreamClients.connectionId, id))
    if (!row) return undefined
    return parseJson(sealer.open({ bytes: row.sealed, key: row.sealedKey }, placeOf(id, row.version))) as OwnClient
  }
  const put = async (tx: Writer, id: ConnectionId, client: OwnClient): Promise<void> => {
    const [known] = await tx.select().from(upstreamClients).where(eq(upstreamClients.connectionId, id))
    const version = (known?.version ?? 0) + 1
    const { bytes, key } = sealer.seal(JSON.stringify(client), placeOf(id, version))
    const row = { issuer: client.issuer, how: client.how, sealed: bytes, sealedKey: key, version, createdAt: clock() }
    await tx
      .insert(upstreamClients)
      .values({ connectionId: id, ...row })
      .onConflictDoUpdate({ target: upstreamClients.connectionId, set: row })
  }

  return {
    find,
    put,
    /**
     * STANDARDS §3: registered beforehand, then our document, then a registration of our own. Each is good at one issuer.
     * @returns undefined where only a client registered by hand will do
     */
    async at(id: ConnectionId, place: Place, home: Home, isPasted: boolean, ask: GuardedFetch): Promise<OwnClient | undefined> {
      const redirectUri = isPasted ? PASTE_REDIRECT : callbackAddress(home, id)
      const known = await find(id)
      if (known?.how === 'registered') {
        if (known.issuer === place.issuer) return { ...known, redirectUri }
        // Entered without saying where it belongs: to the first server it is used at, and to no other ever after.
        if (known.issuer === '') {
          const bound = { ...known, issuer: place.issuer }
          await store.transact((tx) => put(tx, id, bound))
          return { ...bound, redirectUri }
        }
        throw new Failure('upstream_unauthorized', {
          message: 'The server has moved to another authorization server. The client that you registered belongs to the old one.',
        })
      }
      const isDocument = !isPasted && takesDocument(place, home)
      const wanted = isDocument ? sharedCallback(home) : redirectUri
      if (known?.issuer === place.issuer && known.redirectUri === wanted) return known
      const made = isDocument ? ownDocument(place, home) : await register(place, redirectUri, ask)
      if (made) await store.transact((tx) => put(tx, id, made))
      return made
    },
  }
}

const ownDocument = ({ issuer }: Place, home: Home): OwnClient => ({
  ...{ issuer, how: 'document', information: { client_id: documentAddress(home) }, redirectUri: sharedCallback(home) },
})

async function register({ issuer, metadata }: Place, redirectUri: string, ask: GuardedFetch): Promise<OwnClient | undefined> {
  if (!metadata.registration_endpoint) return undefined
  try {
    const { registerClient } = await sdk()
    const information = await registerClient(issuer, { metadata, clientMetadata: metadataFor(redirectUri), fetchFn: ask })
    return { issuer, how: 'dynamic' as const, information, redirectUri }
  } catch (error) {
    throw new Failure('upstream_unauthorized', {
      message: 'Its authorization server would not register Toolpass. Register a client there by hand and enter it here.',
      cause: error,
    })
  }
}
