/** Clients that people use, by name: each goes the whole way by itself. */
import type { Requirement } from '../requirements.ts'

const mcp = (page: string) => `https://modelcontextprotocol.io/specification/2026-07-28/${page}`

export const interop: readonly Requirement[] = [
  {
    id: 'CLIENT-MCP-REMOTE',
    says: 'The bridge mcp-remote signs in through the browser and carries a stdio client to its tools.',
    clause: mcp('basic/authorization'),
  },
  {
    id: 'CLIENT-INSPECTOR',
    says: 'MCP Inspector signs in through the browser and lists the tools, in the legacy and the modern era.',
    clause: mcp('basic/authorization'),
  },
  {
    id: 'CLIENT-CONFORMANCE',
    says: 'Every authorization scenario of the conformance tool passes.',
    clause: mcp('basic/authorization'),
  },
  {
    id: 'CLIENT-OAUTH4WEBAPI',
    says: 'A strict OAuth library registers, connects, refreshes and revokes without one of its checks being loosened.',
    clause: 'https://www.rfc-editor.org/rfc/rfc9700#section-2.1',
  },
  {
    id: 'CLIENT-CLAUDE-CODE',
    says: 'A client with a metadata document that lists portless localhost comes in on whatever port it listens on.',
    clause: 'https://www.rfc-editor.org/rfc/rfc8252#section-7.3',
  },
  {
    id: 'CLIENT-CURSOR',
    says: 'A client that registers three redirect URIs of mixed kinds at once is led back to each of them.',
    clause: 'https://www.rfc-editor.org/rfc/rfc7591#section-2',
  },
  {
    id: 'CLIENT-VSCODE',
    says: 'A client whose document lists loopback addresses and a web page is led back to both, on other ports as well.',
    clause: 'https://www.rfc-editor.org/rfc/rfc8252#section-7.3',
  },
  {
    id: 'CLIENT-CHATGPT',
    says: 'A web client proves itself with the key that its document points to, and with nothing less.',
    clause: 'https://www.rfc-editor.org/rfc/rfc7523#section-2.2',
  },
]
