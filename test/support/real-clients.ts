/** The two real SDK clients, each with a memory of its own for what OAuth gives it, as an application would keep it. */
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client'
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

type Tokens = { access_token: string; refresh_token?: string; token_type: string; expires_in?: number }
type Remembered = { client?: object; tokens?: Tokens; verifier?: string; authorizationUrl?: URL; state?: string }
export type RealClient = Awaited<ReturnType<typeof createRealClient>>

export const CALLBACK = 'http://127.0.0.1:38741/callback'

function createProvider(name: string, memory: Remembered) {
  return {
    redirectUrl: CALLBACK,
    clientMetadata: {
      client_name: name,
      redirect_uris: [CALLBACK],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    state: () => Object.assign(memory, { state: crypto.randomUUID() }).state,
    clientInformation: () => memory.client as never,
    saveClientInformation: (client: object) => void Object.assign(memory, { client: client }),
    tokens: () => memory.tokens as never,
    saveTokens: (tokens: object) => void Object.assign(memory, { tokens: tokens as Tokens }),
    redirectToAuthorization: (url: URL) => void Object.assign(memory, { authorizationUrl: url }),
    saveCodeVerifier: (verifier: string) => void Object.assign(memory, { verifier: verifier }),
    codeVerifier: () => memory.verifier ?? '',
  }
}

/**
 * Goes the whole way: the endpoint refuses, the SDK discovers and registers, `consent` takes the authorization address to a
 * browser and comes back with the address it was sent to.
 */
export async function createRealClient(kind: 'v1' | 'v2', endpoint: string, consent: (url: URL) => Promise<URL>) {
  const memory: Remembered = {}
  const provider = createProvider(`SDK ${kind} client`, memory)
  const open = () => (kind === 'v2' ? openModern(endpoint, provider) : openLegacy(endpoint, provider))
  const first = open()
  await first.connect().then(
    () => Promise.reject(new Error('the endpoint let a client in without a token')),
    () => undefined,
  )
  if (!memory.authorizationUrl) throw new Error('the client was not sent to authorize')
  const back = await consent(memory.authorizationUrl)
  if (back.searchParams.get('state') !== memory.state) throw new Error(`another state came back: ${back}`)
  await first.finish(back)
  const connected = open()
  await connected.connect()
  return {
    memory,
    listTools: async () => (await connected.client.listTools()).tools.map(({ name }: { name: string }) => name),
    callTool: async (name: string, args: Record<string, unknown>, options: object = {}) =>
      (kind === 'v2'
        ? (connected.client as ModernClient).callTool({ name, arguments: args }, options)
        : (connected.client as LegacyClient).callTool({ name, arguments: args }, undefined, options)) as Promise<{
        content: { type: string; text?: string }[]
        isError?: boolean
      }>,
    /** What an application does after an hour: its access token is dead, the refresh token is not. */
    expireAccessToken: () => void Object.assign(memory, { tokens: { ...(memory.tokens as Tokens), access_token: 'tpa_expired' } }),
    reconnect: async () => {
      const again = open()
      await again.connect()
      return again
    },
    close: () => connected.client.close(),
  }
}

function openModern(endpoint: string, provider: ReturnType<typeof createProvider>) {
  const client = new ModernClient({ name: 'toolpass-test', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } })
  const transport = new ModernTransport(new URL(endpoint), { authProvider: provider as never })
  return { client, connect: () => client.connect(transport), finish: (back: URL) => transport.finishAuth(back.searchParams) }
}
function openLegacy(endpoint: string, provider: ReturnType<typeof createProvider>) {
  const client = new LegacyClient({ name: 'toolpass-test', version: '1.0.0' })
  const transport = new LegacyTransport(new URL(endpoint), { authProvider: provider as never })
  return {
    client,
    connect: () => client.connect(transport as never),
    finish: (back: URL) => transport.finishAuth(back.searchParams.get('code') ?? ''),
  }
}
