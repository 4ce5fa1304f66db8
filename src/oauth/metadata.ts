/** The two documents by which clients find their way here (RFC 8414, RFC 9728). */
import { ASSERTION_ALGORITHMS } from './assertion.ts'
import { DEVICE_GRANT } from './devices.ts'
import { ALL_SCOPES } from './parameters.ts'
import { type House, issuerOf, resourceAddress } from './places.ts'

const PROVING = ['client_secret_basic', 'client_secret_post', 'private_key_jwt']

export function serverMetadata(house: House) {
  const issuer = issuerOf(house)
  return {
    issuer,
    authorization_endpoint: `${issuer}/oauth/authorize`,
    token_endpoint: `${issuer}/oauth/token`,
    registration_endpoint: `${issuer}/oauth/register`,
    revocation_endpoint: `${issuer}/oauth/revoke`,
    introspection_endpoint: `${issuer}/oauth/introspect`,
    pushed_authorization_request_endpoint: `${issuer}/oauth/par`,
    device_authorization_endpoint: `${issuer}/oauth/device_authorization`,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token', DEVICE_GRANT],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['none', ...PROVING],
    token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    revocation_endpoint_auth_methods_supported: ['none', ...PROVING],
    revocation_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    introspection_endpoint_auth_methods_supported: PROVING,
    introspection_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    client_id_metadata_document_supported: true,
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
