/** What a user has connected: its settings and credential, its tools, and the way to speak with it. */
export { type Connections, createConnections } from './connections.ts'
export type { ProbeStep, Probe } from './probe.ts'
export type { NewConnection } from './rows.ts'
export type { Connection } from './rows.ts'
export type { Tool } from './listing.ts'
export type { Upstream, UpstreamRequestOptions } from './session.ts'
