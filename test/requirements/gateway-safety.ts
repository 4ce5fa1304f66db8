/** What the gateway may never do to a request or an answer, whoever sends it and however it is written. */
import type { Requirement } from '../requirements.ts'

const mcp = (page: string, revision = '2026-07-28') => `https://modelcontextprotocol.io/specification/${revision}/${page}`
const CALL = 'ARCHITECTURE.md#a-call'

export const gatewaySafety: readonly Requirement[] = [
  {
    id: 'GATEWAY-FAITHFUL',
    says: 'A request through the gateway has the result that it has without it, names, ids, reserved metadata and serverInfo aside, whatever bytes it is made of.',
    clause: mcp('server/tools#calling-tools'),
  },
  {
    id: 'GATEWAY-ONE-READING',
    says: 'What reaches an upstream is the tool that was decided about, whether it takes the first of two equal keys, the last, or ignores case; or nothing reaches it.',
    clause: mcp('basic/transports/streamable-http#server-validation'),
  },
  {
    id: 'GATEWAY-ANY-MESSAGE',
    says: 'Any message with any headers gets an answer of JSON-RPC with its own id or null, no fault of ours, and leaves no stream, call or session behind.',
    clause: 'https://www.jsonrpc.org/specification#response_object',
  },
  {
    id: 'GATEWAY-APART',
    says: 'Answers, progress, questions and remarks of a shared connection reach the call that they belong to and no other grant, however they are mixed.',
    clause: mcp('basic/patterns/progress'),
  },
  {
    id: 'GATEWAY-DOUBT',
    says: 'A question over a shared pipe is put to nobody while it could belong to calls of two grants, one that was just given up among them.',
    clause: mcp('client/elicitation', '2025-11-25'),
  },
  {
    id: 'GATEWAY-OWN-MARKS',
    says: 'States, cursors, task ids and session ids of one grant are worth nothing at another.',
    clause: mcp('basic/patterns/mrtr'),
  },
  {
    id: 'GATEWAY-AT-ONCE',
    says: 'Whatever ends or narrows an access holds for the very next request, also of an app in the midst of calls, and its open streams end within a second.',
    clause: CALL,
  },
  {
    id: 'GATEWAY-TROUBLE',
    says: 'An upstream that is slow, gone, flooding or lying costs its own calls alone, and after five failures in a row it is left alone for a while.',
    clause: CALL,
  },
  {
    id: 'GATEWAY-WAITING',
    says: 'A call that waits for an answer of its app is bounded in number and time, and ends with its grant.',
    clause: mcp('basic/patterns/mrtr'),
  },
]
