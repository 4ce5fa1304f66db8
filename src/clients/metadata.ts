/** What a client says of itself when it registers (RFC 7591 §2), read strictly where it matters and else let be. */
import type { JSONWebKeySet } from 'jose'
import { z } from 'zod'
import { cleanText } from './names.ts'
import { OAuthProblem } from './problem.ts'
import { redirectKind, redirectProblem } from './redirects.ts'

const REDIRECT_URIS_MAX = 20
const AUTH_METHODS = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const
const KEYS_MAX = 20
const SCOPES = new Set(['mcp', 'offline_access'])
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'
const GRANT_TYPES = new Set(['authorization_code', 'refresh_token', DEVICE_GRANT])

export type Described = {
  name: string
  redirectUris: string[]
  applicationType: 'native' | 'web'
  authMethod: (typeof AUTH_METHODS)[number]
  /** Public keys, and where they are to be had. Only with `private_key_jwt`. */
  jwks: JSONWebKeySet | null
  jwksUri: string | null
  /** As it is answered and kept. */
  metadata: Record<string, unknown>
}

// Clients send null where they mean nothing.
const text = z.string().nullish()
const texts = z.array(z.string()).nullish()
const Metadata = z.object({
  redirect_uris: z.array(z.string()).optional(),
  client_name: text,
  application_type: text,
  token_endpoint_auth_method: text,
  grant_types: texts,
  response_types: texts,
  scope: text,
  client_uri: text,
  software_id: text,
  software_version: text,
  jwks: z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(KEYS_MAX) }).nullish(),
  jwks_uri: text,
})

const refuse = (description: string): never => {
  throw new OAuthProblem('invalid_client_metadata', description)
}
const refuseRedirect = (description: string): never => {
  throw new OAuthProblem('invalid_redirect_uri', description)
}

/** @throws OAuthProblem `invalid_redirect_uri`, `invalid_client_metadata` */
export function describe(said: unknown): Described {
  const parsed = Metadata.safeParse(said)
  if (!parsed.success) {
    const field = String(parsed.error.issues[0]?.path[0] ?? '')
    return field === 'redirect_uris'
      ? refuseRedirect('redirect_uris must be a list of texts')
      : refuse(`${field || 'the body'} is of the wrong type`)
  }
  const { data } = parsed
  const grantTypes = data.grant_types ?? ['authorization_code']
  const redirectUris = readRedirects(data.redirect_uris ?? [], grantTypes)
  const applicationType = readApplicationType(data.application_type ?? undefined, redirectUris)
  const authMethod = AUTH_METHODS.find((method) => method === (data.token_endpoint_auth_method ?? 'client_secret_basic'))
  if (!authMethod) return refuse(`token_endpoint_auth_method is one of ${AUTH_METHODS.join(', ')}`)
  if (!grantTypes.includes('authorization_code') && !grantTypes.includes(DEVICE_GRANT))
    return refuse(`grant_types must contain authorization_code or ${DEVICE_GRANT}`)
  if (grantTypes.includes('authorization_code') && data.response_types && !data.response_types.includes('code'))
    return refuse('response_types must contain code')
  const keys = readKeys(data, authMethod)
  const name = cleanText(data.client_name ?? '')
  const scope = (data.scope ?? '').split(' ').filter((each) => SCOPES.has(each))
  const metadata = {
    ...(name && { client_name: name }),
    redirect_uris: redirectUris,
    application_type: applicationType,
    token_endpoint_auth_method: authMethod,
    grant_types: [...new Set(grantTypes)].filter((type) => GRANT_TYPES.has(type)),
    response_types: grantTypes.includes('authorization_code') ? ['code'] : [],
    scope: (scope.length > 0 ? scope : [...SCOPES]).join(' '),
    ...(data.client_uri &&
      /^https:\/\//.test(data.client_uri) &&
      URL.canParse(data.client_uri) && { client_uri: cleanText(data.client_uri, 500) }),
    ...(data.software_id && { software_id: cleanText(data.software_id) }),
    ...(data.software_version && { software_version: cleanText(data.software_version) }),
    ...(keys.jwks && { jwks: keys.jwks }),
    ...(keys.jwksUri && { jwks_uri: keys.jwksUri }),
  }
  return { name, redirectUris, applicationType, authMethod, ...keys, metadata }
}

/** RFC 7591 §2: by value or by reference, never both, and never a private half. */
function readKeys(
  { jwks, jwks_uri: uri }: z.infer<typeof Metadata>,
  authMethod: Described['authMethod'],
): Pick<Described, 'jwks' | 'jwksUri'> {
  if (authMethod !== 'private_key_jwt') return { jwks: null, jwksUri: null }
  if (Boolean(jwks) === Boolean(uri)) return refuse('private_key_jwt needs jwks or jwks_uri, one of the two')
  if (jwks?.keys.some((key) => 'd' in key || 'k' in key)) return refuse('jwks holds public keys only')
  if (uri && !isPlainHttps(uri)) return refuse('jwks_uri is an https address')
  return { jwks: (jwks as JSONWebKeySet | null | undefined) ?? null, jwksUri: uri ?? null }
}

const isPlainHttps = (text: string): boolean => {
  const url = text.length <= 2_000 ? URL.parse(text) : null
  return url?.protocol === 'https:' && url.username === '' && url.password === '' && url.hash === ''
}

function readRedirects(uris: readonly string[], grantTypes: readonly string[]): string[] {
  if (uris.length === 0 && !grantTypes.includes('authorization_code')) return []
  if (uris.length === 0) return refuseRedirect('at least one redirect URI is needed')
  if (uris.length > REDIRECT_URIS_MAX) return refuseRedirect(`at most ${REDIRECT_URIS_MAX} redirect URIs`)
  for (const uri of uris) {
    const problem = redirectProblem(uri)
    if (problem) return refuseRedirect(problem)
  }
  return [...new Set(uris)]
}

/** Missing, it is read from where the client lives: a loopback address or a scheme of its own is an app on a machine. */
function readApplicationType(said: string | undefined, uris: readonly string[]): 'native' | 'web' {
  const kinds = uris.map(redirectKind)
  if (said === undefined) return kinds.every((kind) => kind === 'web') ? 'web' : 'native'
  if (said !== 'native' && said !== 'web') return refuse('application_type is native or web')
  if (said === 'web' && kinds.includes('scheme')) return refuseRedirect('custom schemes are for native applications')
  return said
}
