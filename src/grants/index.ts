/** What a user let an app do: with which profile and tools, until when, and how it ends. */
export { decide, type GrantState, type Permission, state } from './decide.ts'
export { createGrants, type Grants, type NewGrant } from './grants.ts'
export type { Grant } from './reading.ts'
