/**
 * What machines speak to: metadata, registration, tokens, revocation. Cookies mean nothing here, so any origin may call;
 * the page on which a person decides is elsewhere and gets none of these headers.
 */
import { Elysia } from 'elysia'
import { type Clients, OAuthProblem } from '@/clients'
import { incomingOf } from '@/http/incoming.ts'
import { Failure } from '@/lib/failure.ts'
import { JsonError, parseJson } from '@/lib/json.ts'
import { readForm, readText } from './body.ts'
import { resourceMetadata, serverMetadata } from './metadata.ts'
import { isProfileName } from './places.ts'
import type { Oauth } from './oauth.ts'

const REGISTRATION_BYTES_MAX = 64 * 1024
const CORS = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'WWW-Authenticate, Retry-After' }
const PREFLIGHT = {
  ...CORS,
  'access-control-allow-methods': 'GET, POST, OPTIONS',
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
      ...(error.error === 'invalid_client' && status === 401 && { 'www-authenticate': 'Basic realm="Toolpass"' }),
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

type Parts = { oauth: Pick<Oauth, 'token' | 'revoke'>; clients: Pick<Clients, 'register'>; addresses: { readonly base: string } }

export function oauthRoutes({ oauth, clients, addresses: { base } }: Parts) {
  return new Elysia()
    .use(wellKnownRoutes(base))
    .options('/oauth/register', preflight)
    .options('/oauth/token', preflight)
    .options('/oauth/revoke', preflight)
    .post(
      '/oauth/register',
      ({ request }) =>
        answer(async () => json((await clients.register(await readMetadata(request), incomingOf(request).address)).answer, 201)),
      { parse: 'none' },
    )
    .post(
      '/oauth/token',
      ({ request }) => answer(async () => json(await oauth.token(await readForm(request), request.headers.get('authorization')))),
      { parse: 'none' },
    )
    .post(
      '/oauth/revoke',
      ({ request }) =>
        answer(async () => {
          await oauth.revoke(await readForm(request), request.headers.get('authorization'))
          return json({})
        }),
      { parse: 'none' },
    )
}

function wellKnownRoutes(base: string) {
  const houseOf = (request: Request) => ({ origin: incomingOf(request).origin, base })
  // The router takes a trailing slash for the same place; clients that compare addresses do not.
  const server = ({ request }: { request: Request }) =>
    new URL(request.url).pathname.endsWith('/') ? json({ error: 'not_found' }, 404) : json(serverMetadata(houseOf(request)))
  const anyProfile = ({ request }: { request: Request }) => json(resourceMetadata(houseOf(request)))
  const profile = ({ request, params }: { request: Request; params: { profile: string } }) =>
    isProfileName(params.profile) ? json(resourceMetadata(houseOf(request), params.profile)) : json({ error: 'not_found' }, 404)

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
