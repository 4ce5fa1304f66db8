/**
 * What machines speak to: metadata, registration, tokens, revocation. Cookies mean nothing here, so any origin may call;
 * the page on which a person decides is elsewhere and gets none of these headers.
 */
import { Elysia } from 'elysia'
import type { Trace, TraceStep } from '@/audit'
import { type Clients, OAuthProblem } from '@/clients'
import { incomingOf } from '@/http/incoming.ts'
import { Failure } from '@/lib/failure.ts'
import { JsonError, parseJson } from '@/lib/json.ts'
import { readForm, readText } from './body.ts'
import type { Asking } from './asking.ts'
import { resourceMetadata, serverMetadata } from './metadata.ts'
import { isProfileName } from './places.ts'
import type { Oauth } from './oauth.ts'

const REGISTRATION_BYTES_MAX = 16 * 1024
const CORS = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'WWW-Authenticate, Retry-After' }
const PREFLIGHT = {
  ...CORS,
  'access-control-allow-methods': 'GET, POST, PUT, DELETE, OPTIONS',
  'access-control-allow-headers': 'Authorization, Content-Type, Accept, MCP-Protocol-Version',
  'access-control-max-age': '3600',
}
const NO_STORE = { 'cache-control': 'no-store', pragma: 'no-cache', 'x-content-type-options': 'nosniff' }

const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  Response.json(body, { status, headers: { ...CORS, ...NO_STORE, ...headers } })

function refusal(error: unknown): Response {
  if (error instanceof OAuthProblem) {
    const { description: error_description, status, retryAfterSeconds } = error
    return json({ error: error.error, error_description }, status, {
      ...(status === 401 && {
        'www-authenticate': error.error === 'invalid_token' ? 'Bearer error="invalid_token"' : 'Basic realm="Toolpass"',
      }),
      ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
    })
  }
  if (error instanceof Failure) {
    const code = error.status < 500 ? 'invalid_request' : 'temporarily_unavailable'
    return json({ error: code, error_description: error.message }, error.status)
  }
  throw error
}

const answer = (work: () => Promise<Response>): Promise<Response> => work().catch(refusal)
const preflight = () => new Response(null, { status: 204, headers: PREFLIGHT })

async function readMetadata(request: Request): Promise<unknown> {
  try {
    return parseJson(await readText(request, REGISTRATION_BYTES_MAX))
  } catch (error) {
    if (error instanceof JsonError) throw new OAuthProblem('invalid_client_metadata', 'the body is no JSON')
    throw error
  }
}

type Parts = {
  oauth: Pick<Oauth, 'token' | 'revoke' | 'push' | 'askForDevice' | 'introspect'>
  clients: Pick<Clients, 'register' | 'readRegistration' | 'updateRegistration' | 'deleteRegistration'>
  trace: Pick<Trace, 'note'>
  addresses: { readonly base: string }
}
type Incoming = { request: Request }

export function oauthRoutes({ oauth, clients, trace, addresses: { base } }: Parts) {
  const { push, askForDevice, token, introspect, revoke } = oauth
  /** An endpoint for machines: a form in, JSON out. */
  const endpoint =
    (work: (asking: Asking) => Promise<unknown>, status = 200) =>
    ({ request }: Incoming) =>
      answer(async () => json((await work(await askingOf(request, base))) ?? {}, status))
  const unparsed = { parse: 'none' } as const
  return new Elysia()
    .use(wellKnownRoutes(base, trace))
    .use(registrationRoutes(clients, base))
    .options('/oauth/par', preflight)
    .options('/oauth/device_authorization', preflight)
    .options('/oauth/token', preflight)
    .options('/oauth/introspect', preflight)
    .options('/oauth/revoke', preflight)
    .post('/oauth/par', endpoint(push, 201), unparsed)
    .post('/oauth/device_authorization', endpoint(askForDevice), unparsed)
    .post('/oauth/token', endpoint(token), unparsed)
    .post('/oauth/introspect', endpoint(introspect), unparsed)
    .post('/oauth/revoke', endpoint(revoke), unparsed)
}

async function askingOf(request: Request, base: string): Promise<Asking> {
  const { origin, address } = incomingOf(request)
  const form = await readForm(request)
  return {
    form,
    authorization: request.headers.get('authorization'),
    house: { origin, base },
    path: new URL(request.url).pathname,
    address,
  }
}

/** RFC 7591, and RFC 7592 for those that registered. */
function registrationRoutes(clients: Parts['clients'], base: string) {
  const houseOf = (request: Request) => ({ origin: incomingOf(request).origin, base })
  const managing =
    (work: (identifier: string, token: string, request: Request) => Promise<Response>) =>
    ({ request, params }: Incoming & { params: { client: string } }) =>
      answer(async () => {
        const token = /^Bearer +([\w-]{1,200})$/i.exec(request.headers.get('authorization') ?? '')?.[1]
        if (token === undefined) throw new OAuthProblem('invalid_token', 'the registration access token is missing', 401)
        return work(params.client, token, request)
      })
  return new Elysia()
    .options('/oauth/register', preflight)
    .options('/oauth/register/:client', preflight)
    .post(
      '/oauth/register',
      ({ request }) =>
        answer(async () => {
          const { client: _, answer: registered } = await clients.register(
            await readMetadata(request),
            incomingOf(request).address,
            houseOf(request),
          )
          return json(registered, 201)
        }),
      { parse: 'none' },
    )
    .get(
      '/oauth/register/:client',
      managing(async (identifier, token, request) => json(await clients.readRegistration(identifier, token, houseOf(request)))),
    )
    .put(
      '/oauth/register/:client',
      managing(async (identifier, token, request) => {
        // Who may not come in is not listened to: the token stands before the body.
        await clients.readRegistration(identifier, token, houseOf(request))
        return json(await clients.updateRegistration(identifier, token, await readMetadata(request), houseOf(request)))
      }),
      { parse: 'none' },
    )
    .delete(
      '/oauth/register/:client',
      managing(async (identifier, token) => {
        await clients.deleteRegistration(identifier, token)
        return new Response(null, { status: 204, headers: { ...CORS, ...NO_STORE } })
      }),
    )
}

function wellKnownRoutes(base: string, trace: Pick<Trace, 'note'>) {
  const houseOf = (request: Request) => ({ origin: incomingOf(request).origin, base })
  // The router takes a trailing slash for the same place; clients that compare addresses do not.
  const missing = () => json({ error: 'not_found' }, 404)
  const found = (request: Request, step: TraceStep, document: object, profileName?: string) => {
    const { address, origin } = incomingOf(request)
    trace.note({ step, outcome: 'ok', address, origin, ...(profileName !== undefined && { profileName }) })
    return json(document)
  }
  const server = ({ request }: Incoming) =>
    new URL(request.url).pathname.endsWith('/') ? missing() : found(request, 'server-metadata', serverMetadata(houseOf(request)))
  const anyProfile = ({ request }: Incoming) => found(request, 'resource-metadata', resourceMetadata(houseOf(request)))
  const profile = ({ request, params: { profile: name } }: Incoming & { params: { profile: string } }) =>
    isProfileName(name) ? found(request, 'resource-metadata', resourceMetadata(houseOf(request), name), name) : missing()

  const SERVER = '/.well-known/oauth-authorization-server'
  const RESOURCE = '/.well-known/oauth-protected-resource'
  // Below a path, the path stands behind the well-known part (RFC 8414 §3.1, RFC 9728 §3.1). The server's document is served
  // there alone: one whose issuer does not fit its place is refused by clients.
  return new Elysia()
    .options('/.well-known/*', preflight)
    .get(SERVER + base, server)
    .get(RESOURCE, anyProfile)
    .get(`${RESOURCE}${base}/mcp`, anyProfile)
    .get(`${RESOURCE}${base}/mcp/:profile`, profile)
}
