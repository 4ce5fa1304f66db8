/** The virtual server of each profile: bearer to caller, one tool call from start to finish, streams that end with their grant. */
export { profileIn } from './endpoint.ts'
export { createGateway, type Gateway } from './gateway.ts'
export { mcpRoutes } from './routes.ts'
export type { Verified } from './caller.ts'
