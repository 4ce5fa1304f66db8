/** The authorization server: requests, codes, tokens and what they are good for. */
export { readForm } from './body.ts'
export { oauthRoutes } from './endpoints.ts'
export type { OfferedTool, Profile as OfferedProfile, ProfilesSeen } from './needs.ts'
export { EXTENDED_MS_MAX } from './extending.ts'
export { createOauth, type Oauth } from './oauth.ts'
export { resourceAddress } from './places.ts'
export type { Pending } from './pending.ts'
