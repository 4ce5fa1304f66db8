/** A house with an authorization server and nothing behind it: real store and rooms, profiles that are made up. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Elysia } from 'elysia'
import { eq } from 'drizzle-orm'
import { createAudit, createTrace } from '@/audit'
import { createClients } from '@/clients'
import { createGrants } from '@/grants'
import { createDoors } from '@/http/doors.ts'
import { createFront } from '@/http/incoming.ts'
import { createReply } from '@/http/reply.ts'
import { createChanges } from '@/lib/changes.ts'
import { sha256 } from '@/lib/crypto.ts'
import { isFailure } from '@/lib/failure.ts'
import { type ConnectionId, newConnectionId, newProfileId, newToolId, type UserId } from '@/lib/ids.ts'
import { createOutbound, type Outbound } from '@/lib/outbound.ts'
import { createAddresses } from '@/lib/url.ts'
import { createOauth, type OfferedTool, oauthRoutes, type ProfilesSeen } from '@/oauth'
import { openKeys, openStore, profiles as profileTable, type Store } from '@/store'
import { createUsers } from '@/users'
import { consentRoutes } from '@/web/consent.tsx'
import { deviceRoutes } from '@/web/device.tsx'

export const ORIGIN = 'http://127.0.0.1:4321'
export const CALLBACK = 'http://127.0.0.1:7777/callback'
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'
export const VERIFIER = 'v'.repeat(43)
export const CHALLENGE = sha256(VERIFIER)

const tool = (exposedName: string, kind: OfferedTool['kind']): OfferedTool => ({
  feature: 'tool',
  ...{ toolId: newToolId(), connectionId: newConnectionId(), connectionName: 'Files', exposedName, kind, contextCost: 10 },
  definition: { name: exposedName, description: 'What it does' },
})

function fakeProfiles(store: Store) {
  const tools = [tool('read_file', 'read'), tool('delete_file', 'destructive')]
  const list = (userId: UserId) => store.read.select().from(profileTable).where(eq(profileTable.ownerId, userId))
  const create = async (user: { id: UserId }, { title, name }: { title: string; name: string }) => {
    const now = { createdAt: 1, updatedAt: 1 }
    const row = { id: newProfileId(), ownerId: user.id, name, title, description: '', revision: 1, ...now }
    await store.transact(async (tx) => void (await tx.insert(profileTable).values({ ...row, visibility: 'private', naming: 'always' })))
    return row
  }
  const seen: ProfilesSeen = {
    list,
    findByName: async (userId, name) => (await list(userId)).find((profile) => profile.name === name),
    listOpen: async () => [],
    viewFor: async () => ({ offered: tools }),
  }
  return { ...seen, tools, create, ensureFirst: (user: { id: UserId }) => create(user, { title: 'Personal', name: 'personal' }) }
}

export type TestHouse = Awaited<ReturnType<typeof openHouse>>

type Options = { refreshGraceSeconds?: number; outbound?: Pick<Outbound, 'fetch'>; url?: URL }

export async function openHouse({ refreshGraceSeconds = 30, outbound = createOutbound({}), url }: Options = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'toolpass-oauth-'))
  const time = { now: Date.UTC(2030, 0, 1) }
  const clock = () => time.now
  const store = openStore(folder)
  const sealer = await openKeys(store, new Uint8Array(32).fill(7))
  const changes = createChanges((error) => {
    throw error
  })
  const audit = createAudit({ store, sealer, clock })
  const trace = createTrace({ clock })
  const users = createUsers({ store, audit, clock, changes })
  const clients = createClients({ store, clock, audit, changes, trace, outbound })
  const grants = createGrants({ store, clock, audit, changes })
  const profiles = fakeProfiles(store)
  const oauth = createOauth({
    store,
    sealer,
    clients,
    grants,
    profiles,
    users,
    audit,
    trace,
    changes,
    clock,
    config: { refreshGraceSeconds, port: Number(new URL(ORIGIN).port), url },
  })
  const addresses = createAddresses({ url, insecureHttp: false })
  const front = createFront({ addresses, trustedProxies: [] })
  const reply = createReply({ base: '' })
  /** What the consent page is told of connections; tests put in those that fail. */
  const connections = {
    failing: [] as { id: ConnectionId; name: string; status: string; problem: string | null }[],
    list: async () => connections.failing,
  }
  const shell = { bare: () => ({ assets: { css: '/a.css', js: '/a.js', htmx: '/h.js' } }) }
  const pages = { doors: createDoors({ sessions: users.sessions }), reply, shell, oauth, profiles, connections, addresses }
  const app = new Elysia()
    .onError(({ error }) => (isFailure(error) ? new Response(error.message, { status: error.status }) : undefined))
    .use(oauthRoutes({ oauth, clients, trace, addresses }))
    .use(consentRoutes(pages))
    .use(deviceRoutes(pages))

  /** A request as it comes in at the door. */
  const send = (path: string, init: RequestInit = {}, address = '203.0.113.5') => {
    const headers = new Headers(init.headers)
    if (!headers.has('host')) headers.set('host', new URL(ORIGIN).host)
    const request = new Request(ORIGIN + path, { redirect: 'manual', ...init, headers })
    front.admit(request, address)
    return app.handle(request)
  }
  const post = (path: string, form: URLSearchParams | Record<string, string>, headers: Record<string, string> = {}) =>
    send(path, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: String(new URLSearchParams(form)),
    })
  const signIn = async (username: string) => {
    const user = await users.create('command line', { username, role: 'member' })
    await profiles.create(user, { title: 'Work', name: 'work' })
    const cookie = `toolpass_session=${await users.sessions.open(user.id, { address: '127.0.0.1', userAgent: '' })}`
    return { user, cookie }
  }
  const close = async () => {
    await audit.flush()
    await store.close()
    rmSync(folder, { recursive: true })
  }
  return {
    time,
    store,
    trace,
    users,
    clients,
    grants,
    profiles,
    connections,
    oauth,
    audit,
    send,
    post,
    signIn,
    close,
    ...flow({ send, post }, profiles.tools),
  }
}

type Doors = {
  send(path: string, init?: RequestInit, address?: string): Promise<Response>
  post(path: string, form: URLSearchParams | Record<string, string>, headers?: Record<string, string>): Promise<Response>
}

/** The steps of a client and its user, one by one. */
function flow({ send, post }: Doors, tools: readonly OfferedTool[]) {
  const register = (metadata: object, address?: string) =>
    send('/oauth/register', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(metadata) }, address)
  let registered = 0
  /** Each from an address of its own: the flood limit counts by address. */
  const newClient = async (metadata: object = {}) =>
    (await (
      await register(
        {
          ...{ client_name: 'Test app', redirect_uris: [CALLBACK], token_endpoint_auth_method: 'none' },
          grant_types: ['authorization_code', DEVICE_GRANT],
          ...metadata,
        },
        `198.51.100.${++registered % 256}`,
      )
    ).json()) as Record<string, string> & { client_id: string }
  const asking = (clientId: string, change: Record<string, string | undefined> = {}) => {
    const asked = {
      ...{ client_id: clientId, redirect_uri: CALLBACK, response_type: 'code', code_challenge: CHALLENGE, state: 'xyz' },
      ...{ code_challenge_method: 'S256', resource: `${ORIGIN}/mcp/work`, scope: 'mcp offline_access', ...change },
    }
    return new URLSearchParams(Object.entries(asked).filter((pair): pair is [string, string] => pair[1] !== undefined))
  }
  const authorize = (query: URLSearchParams | string, cookie?: string) =>
    send(`/oauth/authorize?${query}`, cookie ? { headers: { cookie } } : {})
  const secretIn = async (page: Response) => /name="request" value="([^"]+)"/.exec(await page.text())?.[1] ?? ''
  const decide = (secret: string, cookie: string, change: Record<string, string> = {}, headers: Record<string, string> = {}) =>
    post(
      '/oauth/authorize/decide',
      { request: secret, decision: 'allow', tool_id: tools[0]!.toolId, expires: 'month', device_name: 'Test', ...change },
      { cookie, ...headers },
    )
  /** From request to code, as an honest client and user do it. */
  const obtainCode = async (clientId: string, cookie: string, change: Record<string, string | undefined> = {}) => {
    const answer = await decide(await secretIn(await authorize(asking(clientId, change), cookie)), cookie)
    return new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? ''
  }
  const redeem = (clientId: string, code: string, change: Record<string, string> = {}) =>
    post('/oauth/token', {
      ...{ grant_type: 'authorization_code', client_id: clientId, code, code_verifier: VERIFIER, redirect_uri: CALLBACK },
      ...change,
    })
  const refresh = (clientId: string, token: string, change: Record<string, string> = {}) =>
    post('/oauth/token', { grant_type: 'refresh_token', client_id: clientId, refresh_token: token, ...change })
  return {
    register,
    newClient,
    asking,
    authorize,
    secretIn,
    decide,
    obtainCode,
    redeem,
    refresh,
    ...beside({ post }, { asking, secretIn, decide }),
  }
}

type Steps = {
  asking(clientId: string, change?: Record<string, string | undefined>): URLSearchParams
  secretIn(page: Response): Promise<string>
  decide(secret: string, cookie: string, change?: Record<string, string>): Promise<Response>
}
export type Device = Record<'device_code' | 'user_code' | 'verification_uri' | 'verification_uri_complete', string> & {
  expires_in: number
  interval: number
}

/** The steps of clients that push their request first, or have no browser. */
function beside({ post }: Pick<Doors, 'post'>, { asking, secretIn, decide }: Steps) {
  const push = (clientId: string, change: Record<string, string | undefined> = {}, headers: Record<string, string> = {}) =>
    post('/oauth/par', asking(clientId, change), headers)
  const beginDevice = (clientId: string, change: Record<string, string> = {}, headers: Record<string, string> = {}) =>
    post(
      '/oauth/device_authorization',
      { client_id: clientId, resource: `${ORIGIN}/mcp/work`, scope: 'mcp offline_access', ...change },
      headers,
    )
  const newDevice = async (clientId: string) => (await (await beginDevice(clientId)).json()) as Device
  const poll = (clientId: string, deviceCode: string, change: Record<string, string> = {}) =>
    post('/oauth/token', { grant_type: DEVICE_GRANT, client_id: clientId, device_code: deviceCode, ...change })
  /** A person types the code on our page, looks at what is asked, and answers. */
  const answerDevice = async (userCode: string, cookie: string, change: Record<string, string> = {}) =>
    decide(await secretIn(await post('/device', { user_code: userCode }, { cookie })), cookie, change)
  return { push, beginDevice, newDevice, poll, answerDevice }
}

export type Tokens = { access_token: string; refresh_token: string; scope: string; expires_in: number }
/** Status and error code in one, for short expectations. */
export const told = async (answer: Response | Promise<Response>) => {
  const response = await answer
  return [response.status, ((await response.json()) as { error?: string }).error]
}
/** The parameters of the address that a browser is sent to. */
export const sentTo = (response: Response) => Object.fromEntries(new URL(response.headers.get('location') ?? '').searchParams)
