/** The programs that ask for access: how they become known, what is known of them, where they may be sent back to. */
export { createClients, type Clients } from './clients.ts'
export { KNOWN_CLIENTS, knownClient, type KnownClient, type ProfileToConnect } from './known.ts'
export { addressProblem } from './documents.ts'
export { cleanText } from './names.ts'
export { admissionOf } from './policy.ts'
export { OAuthProblem } from './problem.ts'
export { matchesRedirect, redirectKind, redirectProblem } from './redirects.ts'
export type { Client } from './types.ts'
