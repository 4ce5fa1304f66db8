/** The gateway: everything of MCP, both ways, between apps and servers of any revision. */
import type { Requirement } from '../requirements.ts'

const mcp = (page: string, revision = '2026-07-28') => `https://modelcontextprotocol.io/specification/${revision}/${page}`

export const gateway: readonly Requirement[] = [
  {
    id: 'GATEWAY-CONFORMANCE',
    says: 'What the conformance tool finds right at a server it finds right through the house, but for a list that may only shrink.',
    clause: mcp('basic/versioning#compatibility-matrix'),
  },
  {
    id: 'GATEWAY-BRIDGE',
    says: 'Tools, prompts, resources, completion, progress, cancelling, remarks and errors arrive whole, in the words of whoever gets them, whatever the revisions and transports on both sides.',
    clause: mcp('basic/versioning#compatibility-matrix'),
  },
  {
    id: 'GATEWAY-ONE-WAY',
    says: 'A plain call and one that is not leave the same answer, the same row and the same word at the server, whatever that does meanwhile.',
    clause: mcp('server/tools#calling-tools'),
  },
  {
    id: 'GATEWAY-ASKING',
    says: 'What a server asks in the midst of a call (form, link, model, roots) reaches the app in its own way, and never one that does not offer it.',
    clause: mcp('basic/patterns/mrtr'),
  },
  {
    id: 'GATEWAY-TASKS',
    says: 'A task of the same era goes on under an id of ours, which is worth nothing to another app.',
    clause: mcp('basic/utilities/tasks', '2025-11-25'),
  },
  {
    id: 'GATEWAY-SUBSCRIBE',
    says: 'An app hears of changes of the resources that it watches, and of no others.',
    clause: mcp('server/resources#subscriptions', '2025-11-25'),
  },
  {
    id: 'GATEWAY-CHANGES',
    says: 'A list that became another for an app is told of within a second, once, whether its server or its grant has changed.',
    clause: mcp('basic/patterns/subscriptions'),
  },
  {
    id: 'GATEWAY-SESSION',
    says: 'A legacy session, its level and its subscriptions outlive a restart of the house, and end with DELETE.',
    clause: mcp('basic/transports#session-management', '2025-11-25'),
  },
  {
    id: 'GATEWAY-RESUME',
    says: 'A legacy app whose line broke gets the rest by the id of its last event, and nobody else gets anything by it.',
    clause: mcp('basic/transports#resumability-and-redelivery', '2025-11-25'),
  },
  {
    id: 'GATEWAY-BATCH',
    says: 'Batches are answered on 2025-03-26 and refused on later revisions.',
    clause: mcp('basic/transports#sending-messages-to-the-server', '2025-03-26'),
  },
  {
    id: 'GATEWAY-SIGN-IN',
    says: 'A call to a connection without a credential answers with a link, in the way that the app knows, and goes on or can be repeated after the sign-in; the link is of use to its own user alone.',
    clause: mcp('client/elicitation#url-mode-elicitation-for-oauth-flows', '2025-11-25'),
  },
  {
    id: 'GATEWAY-SEARCH',
    says: 'A profile that is served through search finds, describes and calls what the grant allows, and nothing else can be told from what is not there.',
    clause: 'ARCHITECTURE.md#a-call',
  },
  {
    id: 'GATEWAY-OVERRIDE',
    says: 'An adjusted tool is seen as its user adjusted it, and its server gets what was fixed whatever the app sends.',
    clause: 'ARCHITECTURE.md#a-call',
  },
  {
    id: 'GATEWAY-URIS',
    says: 'Tools and resources that two servers call alike are told apart, each is reached as it is listed, and a profile that never prefixes refuses them.',
    clause: mcp('server/tools#tool-names'),
  },
]
