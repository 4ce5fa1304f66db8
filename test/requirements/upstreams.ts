/** Signing in to upstreams, and staying signed in. */
import type { Requirement } from '../requirements.ts'

const mcp = (page: string) => `https://modelcontextprotocol.io/specification/2026-07-28/${page}`
const rfc = (number: number, section: string) => `https://www.rfc-editor.org/rfc/rfc${number}#section-${section}`

export const upstreams: readonly Requirement[] = [
  {
    id: 'SIGN-IN-MOVED',
    says: 'A sign-in that was under way while its connection was pointed elsewhere is good nowhere.',
    clause: rfc(9700, '4'),
  },
  {
    id: 'SIGN-IN-RENEWED-LATE',
    says: 'A renewal that answers after a sign-out brings nothing back.',
    clause: rfc(9700, '4'),
  },
  {
    id: 'SIGN-IN-OWNERS-WORD',
    says: 'Nobody but its owner decides that others use an open connection with the owner’s credential.',
    clause: rfc(9700, '4'),
  },
  {
    id: 'SIGN-IN-CLIENT-BOUND',
    says: 'A client registered by hand is bound to the first authorization server it is used at.',
    clause: rfc(9700, '4'),
  },
  {
    id: 'SIGN-IN-OWNERS-WAY',
    says: 'How a connection authenticates is changed by those who may change it, and by nobody’s click.',
    clause: rfc(9700, '4'),
  },
  {
    id: 'SIGN-IN-MIX-UP',
    says: 'An answer that comes back to the address of another connection is not redeemed.',
    clause: rfc(9700, '4'),
  },
  {
    id: 'SIGN-IN-STALE-FORM',
    says: 'A key that was entered for one address does not go to another that took its place.',
    clause: rfc(9700, '4'),
  },
  {
    id: 'SIGN-IN-NARROWED',
    says: 'When a connection is no longer for each with their own, what others gave is destroyed.',
    clause: rfc(9700, '4'),
  },
  {
    id: 'UPSTREAM-OAUTH-POPUP',
    says: 'Signing in happens in a window of its own that closes by itself, or in the same tab without scripts, and ends where it began.',
    clause: mcp('basic/authorization'),
  },
  {
    id: 'UPSTREAM-CONFORMANCE',
    says: 'Toward upstreams every required client scenario of the conformance tool passes, but for a list that may only shrink.',
    clause: mcp('basic/authorization'),
  },
  {
    id: 'UPSTREAM-MIRROR',
    says: 'Arguments that a tool marks for headers go along in headers, encoded where need be; a tool that marks wrongly is left out.',
    clause: mcp('basic/transports'),
  },
  {
    id: 'UPSTREAM-OAUTH',
    says: 'A server that wants a sign-in is found out by its address alone, and one click later its tools are there.',
    clause: mcp('basic/authorization'),
  },
  {
    id: 'UPSTREAM-OAUTH-CALL',
    says: 'A call goes out with the upstream’s own token; the app never sees it, and the upstream never sees the app’s.',
    clause: mcp('basic/authorization'),
  },
  {
    id: 'UPSTREAM-OAUTH-RENEW',
    says: 'A token that the upstream refuses is renewed once for all calls under way, which then succeed.',
    clause: rfc(6749, '6'),
  },
  {
    id: 'UPSTREAM-OAUTH-STATE',
    says: 'A sign-in comes back once, to the browser session that began it, and within ten minutes.',
    clause: rfc(6749, '10.12'),
  },
  {
    id: 'UPSTREAM-OAUTH-SCOPE',
    says: 'A server that asks for more scope gets the union of what was granted and what it asks for at the next sign-in.',
    clause: mcp('basic/authorization'),
  },
  {
    id: 'UPSTREAM-OAUTH-CLIENT',
    says: 'Where Toolpass may not register itself, a client registered by hand signs in, for a person or for the connection itself.',
    clause: rfc(6749, '4.4'),
  },
  {
    id: 'UPSTREAM-OAUTH-PASTE',
    says: 'Where an authorization server sends people back to loopback only, the final address can be pasted.',
    clause: rfc(8252, '7.3'),
  },
  {
    id: 'UPSTREAM-OAUTH-OUT',
    says: 'Disconnecting destroys the tokens that were held here and revokes them where that is offered.',
    clause: rfc(7009, '2'),
  },
  {
    id: 'UPSTREAM-OAUTH-DOCUMENT',
    says: 'Toolpass publishes a client metadata document of its own, which names itself and holds no secret.',
    clause: mcp('basic/authorization'),
  },
  {
    id: 'ABUSE-43',
    says: 'Another resource, another issuer, or a missing one where it was promised stops a sign-in before anything secret is sent.',
    clause: rfc(9207, '2.4'),
  },
  {
    id: 'ABUSE-44',
    says: 'A server that moves to another authorization server gets nothing of the old sign-in.',
    clause: mcp('basic/authorization'),
  },
  {
    id: 'ABUSE-45',
    says: 'An authorization endpoint that is not https, or http on loopback, is refused.',
    clause: rfc(9700, '4.1.1'),
  },
]
