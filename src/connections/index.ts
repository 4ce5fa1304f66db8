/** What a user has connected: its settings and credential, its tools, and the way to speak with it. */
export { type Connections, createConnections } from './connections.ts'
export type { Connection } from './rows.ts'
export type { Tool } from './listing.ts'
export type { Upstream } from './session.ts'
export { callbackAddress, clientDocument } from './oauth/clients.ts'
export { may } from './may.ts'
