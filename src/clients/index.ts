/** The programs that ask for access: how they become known, what is known of them, where they may be sent back to. */
export { createClients, type Client, type Clients } from './clients.ts'
export { cleanText } from './names.ts'
export { type Admission, admissionOf, type Admits } from './policy.ts'
export { OAuthProblem } from './problem.ts'
export { matchesRedirect, redirectKind } from './redirects.ts'
