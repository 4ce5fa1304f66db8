/** The MCP SDK's client side of OAuth. Importing it costs 150 ms and 32 MB, so it is loaded when somebody first signs in. */
import type * as Sdk from '@modelcontextprotocol/client'

export type { AuthorizationServerMetadata, OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/client'

let loaded: Promise<typeof Sdk> | undefined
export const sdk = (): Promise<typeof Sdk> => (loaded ??= import('@modelcontextprotocol/client'))
