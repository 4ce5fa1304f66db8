/**
 * Reserved keys of `_meta` (2026-07-28, "Request metadata"). Each is spelt out: one that is put together where it is used is made, hashed
 * and looked up anew for every call.
 */
export const META = 'io.modelcontextprotocol/'
export const META_VERSION = 'io.modelcontextprotocol/protocolVersion'
export const META_CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities'
export const META_CLIENT = 'io.modelcontextprotocol/clientInfo'
export const META_LOG_LEVEL = 'io.modelcontextprotocol/logLevel'
export const META_SERVER = 'io.modelcontextprotocol/serverInfo'
export const META_SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId'
export const META_RELATED_TASK = 'io.modelcontextprotocol/related-task'
