/** What a client says of itself when it registers (RFC 7591 §2), read strictly where it matters and else let be. */
import type { JSONWebKeySet } from 'jose'
import { z } from 'zod'
import { cleanText } from './names.ts'
import { OAuthProblem } from './problem.ts'
import { redirectKind, redirectProblem } from './redirects.ts'

const REDIRECT_URIS_MAX = 20
const AUTH_METHODS = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const
const KEYS_MAX = 20
const KEYS_LENGTH_MAX = 16 * 1024
const SCOPES = new Set(['mcp', 'offline_access'])
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'
const GRANT_TYPES = new Set(['authorization_code', 'refresh_token', DEVICE_GRANT])

export type Described = {
  name: string
  redirectUris: string[]
  applicationType: 'native' | 'web'
  authMethod: (typeof AUTH_METHODS)[number]
  /** Public keys, and where they are to be had. Only with `private_key_jwt`. */
  jwks: JSONWebKeySet | null
  jwksUri: string | null
  /** As it is answered and kept, without the keys, which stand beside it. */
  metadata: Record<string, unknown>
}

// Clients send null where they mean nothing.
const text = z.string().nullish()
const texts = z.array(z.string()).nullish()
/** Public keys only: whoever publishes the other half, or a shared key, proves nothing with it. */
const PublicKey = z
  .looseObject({ kty: z.string() })
  .refine((key) => !['d', 'k', 'priv'].some((half) => half in key))
  // Certificates prove nothing here, and are the larger part of many sets.
  .transform(({ x5c: _, ...key }) => key)
export const KeySet = z.object({ keys: z.array(PublicKey).max(KEYS_MAX) }).refine((set) => JSON.stringify(set).length <= KEYS_LENGTH_MAX)
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
  jwks: KeySet.nullish(),
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
  const data = parse(said)
  const grantTypes = readGrantTypes(data)
  const redirectUris = readRedirects(data.redirect_uris ?? [], grantTypes)
  const applicationType = readApplicationType(data.application_type ?? undefined, redirectUris)
  const authMethod = AUTH_METHODS.find((method) => method === (data.token_endpoint_auth_method ?? 'client_secret_basic'))
  if (!authMethod) return refuse(`token_endpoint_auth_method is one of ${AUTH_METHODS.join(', ')}`)
  const keys = readKeys(data, authMethod)
  const name = cleanText(data.client_name ?? '')
  const scope = (data.scope ?? '').split(' ').filter((each) => SCOPES.has(each))
  const metadata = {
    ...(name && { client_name: name }),
    redirect_uris: redirectUris,
    application_type: applicationType,
    token_endpoint_auth_method: authMethod,
    grant_types: grantTypes,
    response_types: grantTypes.includes('authorization_code') ? ['code'] : [],
    scope: (scope.length > 0 ? scope : [...SCOPES]).join(' '),
    ...readRest(data),
    ...(keys.jwksUri && { jwks_uri: keys.jwksUri }),
  }
  return { name, redirectUris, applicationType, authMethod, ...keys, metadata }
}

type Said = z.infer<typeof Metadata>

function parse(said: unknown): Said {
  const { success, data, error } = Metadata.safeParse(said)
  if (success) return data
  const field = String(error.issues[0]?.path[0] ?? '')
  if (field === 'redirect_uris') return refuseRedirect('redirect_uris must be a list of texts')
  if (field === 'jwks') return refuse(`jwks is a set of at most ${KEYS_MAX} public keys in at most ${KEYS_LENGTH_MAX / 1024} KB`)
  return refuse(`${field || 'the body'} is of the wrong type`)
}

/** What it wants and we do not have is left out of the answer (RFC 7591 §3.2.1). */
function readGrantTypes({ grant_types, response_types }: Said): string[] {
  const asked = new Set(grant_types ?? ['authorization_code'])
  if (!asked.has('authorization_code') && !asked.has(DEVICE_GRANT))
    return refuse(`grant_types must contain authorization_code or ${DEVICE_GRANT}`)
  if (asked.has('authorization_code') && response_types && !response_types.includes('code'))
    return refuse('response_types must contain code')
  return [...asked].filter((type) => GRANT_TYPES.has(type))
}

/** Kept for people to read. */
const readRest = ({ client_uri: uri, software_id, software_version }: Said) => ({
  ...(uri && /^https:\/\//.test(uri) && URL.canParse(uri) && { client_uri: cleanText(uri, 500) }),
  ...(software_id && { software_id: cleanText(software_id) }),
  ...(software_version && { software_version: cleanText(software_version) }),
})

/** RFC 7591 §2: by value or by reference, never both, and never a private half. */
function readKeys({ jwks, jwks_uri: uri }: Said, authMethod: Described['authMethod']): Pick<Described, 'jwks' | 'jwksUri'> {
  if (authMethod !== 'private_key_jwt') return { jwks: null, jwksUri: null }
  if (Boolean(jwks) === Boolean(uri)) return refuse('private_key_jwt needs jwks or jwks_uri, one of the two')
  if (uri && !isPlainHttps(uri)) return refuse('jwks_uri is an https address without user and fragment')
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
