/** The two documents by which clients find their way here (RFC 8414, RFC 9728). */
import { ALL_SCOPES } from './parameters.ts'
import { type House, issuerOf, resourceAddress } from './places.ts'

export function serverMetadata(house: House) {
  const issuer = issuerOf(house)
  return {
    issuer,
    authorization_endpoint: `${issuer}/oauth/authorize`,
    token_endpoint: `${issuer}/oauth/token`,
    registration_endpoint: `${issuer}/oauth/register`,
    revocation_endpoint: `${issuer}/oauth/revoke`,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
    revocation_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
    scopes_supported: ALL_SCOPES.split(' '),
    authorization_response_iss_parameter_supported: true,
  }
}

/** The same for every well-formed name: whether there is such a profile is told to its user alone. */
export function resourceMetadata(house: House, profileName?: string) {
  return {
    resource: resourceAddress(house, profileName),
    authorization_servers: [issuerOf(house)],
    scopes_supported: ['mcp'],
    bearer_methods_supported: ['header'],
    resource_name: 'Toolpass',
  }
}
