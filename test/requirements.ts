/**
 * What Toolpass must do, one sentence each, with the clause that asks for it. A test says which of these it proves by
 * carrying the id in its name, `test('[RFC7636-4.6] a verifier of another challenge is refused', …)`, and
 * requirements.test.ts fails on an id that no test carries, and on one that is carried but not listed.
 *
 * Add a line before the code. Take one away only together with the behaviour, and say so in the changelog.
 */
import { abuse as abuseOfTheHouse } from './requirements/abuse.ts'
import { activity } from './requirements/activity.ts'
import { apply } from './requirements/apply.ts'
import { catalogue } from './requirements/catalogue.ts'
import { clients } from './requirements/clients.ts'
import { connectors } from './requirements/connectors.ts'
import { connections } from './requirements/connections.ts'
import { approvals } from './requirements/approvals.ts'
import { control } from './requirements/control.ts'
import { consent } from './requirements/consent.ts'
import { developers } from './requirements/developers.ts'
import { doctor } from './requirements/doctor.ts'
import { gateway } from './requirements/gateway.ts'
import { upstreams } from './requirements/upstreams.ts'
import { server } from './requirements/server.ts'
import { definitions } from './requirements/definitions.ts'
import { limits } from './requirements/limits.ts'
import { gatewaySafety } from './requirements/gateway-safety.ts'
import { interop } from './requirements/interop.ts'
import { profiles } from './requirements/profiles.ts'
import { programs } from './requirements/programs.ts'
import { registry } from './requirements/registry.ts'
import { plugins } from './requirements/plugins.ts'
import { providers } from './requirements/providers.ts'
import { trail } from './requirements/trail.ts'

export type Requirement = {
  /** `AREA-NUMBER` or `SPECIFICATION-CLAUSE`: capitals, digits, dots and dashes. */
  id: string
  says: string
  /** Where it is written down: a clause of a specification, or a place in our own documents. */
  clause: string
}

const rfc = (number: number, section: string) => `https://www.rfc-editor.org/rfc/rfc${number}#section-${section}`
const mcp = (page: string, revision = '2026-07-28') => `https://modelcontextprotocol.io/specification/${revision}/${page}`
const oauth = (section: string) => `https://datatracker.ietf.org/doc/html/draft-ietf-oauth-v2-1-13#section-${section}`
const fields = (section: string) => `https://www.rfc-editor.org/rfc/rfc9110#section-${section}`

/** Attacks. Each is tried from outside, against the running program, and the test states the one right outcome. */
const abuse: readonly Requirement[] = [
  {
    id: 'ABUSE-01',
    says: 'A redirect URI that differs from the registered one in any character is answered with a 400 page and no Location.',
    clause: rfc(9700, '4.1.3'),
  },
  {
    id: 'ABUSE-02',
    says: 'Loopback forgives the port and nothing else: another path, or a host that merely begins like loopback, is a 400 page.',
    clause: rfc(8252, '7.3'),
  },
  {
    id: 'ABUSE-03',
    says: 'Registering a redirect URI with a fragment, with javascript: or data:, or with http to a remote host is invalid_redirect_uri.',
    clause: rfc(7591, '3.2.2'),
  },
  {
    id: 'ABUSE-04',
    says: 'Without PKCE, with plain, or with a verifier outside 43 to 128 characters no token is issued.',
    clause: rfc(7636, '4.1'),
  },
  {
    id: 'ABUSE-05',
    says: 'A code without a stored S256 challenge cannot exist, and without the right verifier it is invalid_grant.',
    clause: rfc(9700, '2.1.1'),
  },
  {
    id: 'ABUSE-06',
    says: 'A code that is presented again is invalid_grant, and what the first presentation issued is dead.',
    clause: rfc(6749, '4.1.2'),
  },
  { id: 'ABUSE-07', says: 'Of fifty simultaneous redemptions of one code exactly one gets tokens.', clause: rfc(6749, '10.5') },
  {
    id: 'ABUSE-08',
    says: 'A code with another client, redirect URI or resource than it was issued for, or after its minute, is invalid_grant.',
    clause: rfc(6749, '4.1.3'),
  },
  { id: 'ABUSE-09', says: 'A parameter that comes twice is invalid_request, at authorize and at token.', clause: rfc(6749, '3.1') },
  {
    id: 'ABUSE-10',
    says: 'A resource that is not ours, or a second one, is invalid_target; so is another one at the token endpoint than was authorised.',
    clause: rfc(8707, '2'),
  },
  { id: 'ABUSE-12', says: 'Each error that is sent back to a client carries iss.', clause: rfc(9207, '2') },
  { id: 'ABUSE-13', says: 'A refresh that asks for more scope than was granted is invalid_scope.', clause: rfc(6749, '6') },
  {
    id: 'ABUSE-14',
    says: 'A refresh token used again after the grace, or by another client, is invalid_grant; re-use ends its family.',
    clause: rfc(9700, '4.14.2'),
  },
  { id: 'ABUSE-15', says: 'Five refreshes at once all succeed within the grace and stay one family.', clause: rfc(9700, '4.14.2') },
  {
    id: 'ABUSE-16',
    says: 'A token for one profile is invalid_token at another.',
    clause: mcp('basic/authorization/security-considerations#access-token-privilege-restriction'),
  },
  {
    id: 'ABUSE-17',
    says: 'A tool that was not granted is not listed; called all the same it is refused like one that does not exist, and the refusal is recorded.',
    clause: 'ARCHITECTURE.md#a-call',
  },
  {
    id: 'ABUSE-19',
    says: 'A token in the query, and anything else than an access token of ours as bearer (refresh token, code, session value, any JWT), is 401.',
    clause: rfc(9700, '4.3.2'),
  },
  {
    id: 'ABUSE-27',
    says: 'A consent posted without its token, from another origin, twice, for another user, or with a profile or tool that was not offered creates nothing.',
    clause: rfc(6749, '10.12'),
  },
  { id: 'ABUSE-28', says: 'No browser shows the consent page inside a frame.', clause: rfc(9700, '4.16') },
  {
    id: 'ABUSE-29',
    says: 'A client that is new here is asked about, however many upstreams the user is signed in to.',
    clause: mcp('basic/authorization/security-considerations#confused-deputy-problem'),
  },
  { id: 'ABUSE-30', says: 'A flood of registrations meets 429, and a client that was never used expires.', clause: rfc(7591, '5') },
  {
    id: 'ABUSE-31',
    says: 'Signing in gives a new session id and ends the old one; a login posted from elsewhere is refused.',
    clause: 'SECURITY.md#sessions',
  },
  {
    id: 'ABUSE-32',
    says: 'Guessing passwords or set-up links gets slower per account and per address (IPv6 by /64) and never locks the owner out elsewhere.',
    clause: 'SECURITY.md#sessions',
  },
  {
    id: 'ABUSE-33',
    says: 'An unknown user name is answered with the status, the body and the time of a wrong password.',
    clause: 'SECURITY.md#sessions',
  },
  { id: 'ABUSE-34', says: 'A one-time link works once.', clause: 'SECURITY.md#sessions' },
  { id: 'ABUSE-36', says: 'A "next" that leads off this site, in whatever spelling, leads to the start page.', clause: rfc(9700, '4.11') },
  {
    id: 'ABUSE-37',
    says: 'A foreign or short Host is 421, a malformed or doubled one 400, and no route sees either.',
    clause: fields('7.2'),
  },
  { id: 'ABUSE-38', says: 'X-Forwarded-* counts only from a peer that the settings trust.', clause: 'SECURITY.md#behind-a-proxy' },
  {
    id: 'ABUSE-39',
    says: 'The MCP endpoint answers a foreign Origin with 403 and a foreign Host with 421.',
    clause: mcp('basic/transports/streamable-http#security-%26-endpoint'),
  },
  {
    id: 'ABUSE-42',
    says: "A member on an administrator's route, or with another user's ids on their own, gets 403 or 404 and learns nothing.",
    clause: 'ARCHITECTURE.md#what-is-not-there',
  },
  {
    id: 'ABUSE-46',
    says: "No upstream ever sees a client's token, and a redirect to another origin sheds Authorization.",
    clause: mcp('basic/authorization/security-considerations#access-token-privilege-restriction'),
  },
  {
    id: 'ABUSE-47',
    says: 'A member may not make stdio connections; arguments reach the program as an array, without a shell, in a clean environment, and our files stay unreadable to it.',
    clause: 'SECURITY.md#programs-that-run-here',
  },
  {
    id: 'ABUSE-52',
    says: 'A program that forks, ignores SIGTERM or is killed leaves no process behind and hangs nothing.',
    clause: 'SECURITY.md#programs-that-run-here',
  },
  {
    id: 'ABUSE-58',
    says: 'After kill -9 at any moment the program starts again with everything it had acknowledged.',
    clause: 'ARCHITECTURE.md#what-acknowledged-means',
  },
]

const authorization: readonly Requirement[] = [
  {
    id: 'RFC8414-3',
    says: 'Authorization server metadata stands at the root and nowhere else, with an issuer that is equal everywhere byte for byte, S256 only, and iss promised.',
    clause: rfc(8414, '3'),
  },
  {
    id: 'RFC9728-3.1',
    says: 'Protected resource metadata answers path-inserted for any well-formed profile name alike, and at the root as /mcp; resource is the address that was asked for.',
    clause: rfc(9728, '3.1'),
  },
  { id: 'RFC9728-5.1', says: 'A request without a token is 401 with the address of the resource metadata.', clause: rfc(9728, '5.1') },
  {
    id: 'RFC6750-3.1',
    says: 'The challenge names no error where there was no token, and invalid_token where there was a bad one.',
    clause: rfc(6750, '3.1'),
  },
  {
    id: 'RFC6749-4.1.2.1',
    says: 'An unknown client or redirect URI is shown to the user; every other fault goes back to the client with error and state.',
    clause: rfc(6749, '4.1.2.1'),
  },
  { id: 'RFC6749-5.1', says: 'Token answers are never stored by caches.', clause: rfc(6749, '5.1') },
  {
    id: 'RFC6749-5.2',
    says: 'The token endpoint tells its errors apart: invalid_client is 401, the others are 400.',
    clause: rfc(6749, '5.2'),
  },
  { id: 'RFC6749-6', says: 'A refresh rotates the refresh token, may narrow the scope, and ends with its grant.', clause: rfc(6749, '6') },
  { id: 'RFC7009-2.2', says: 'Revoking an unknown token is 200; revoking a known one ends it at once.', clause: rfc(7009, '2.2') },
  {
    id: 'RFC7591-3.2.1',
    says: 'Registration answers 201 with what was registered, uncached, and takes several redirect URIs of mixed kinds.',
    clause: rfc(7591, '3.2.1'),
  },
  { id: 'RFC7636-4.6', says: 'The verifier must hash to the stored challenge.', clause: rfc(7636, '4.6') },
  { id: 'RFC8252-7.3', says: 'A loopback redirect URI is good with any port.', clause: rfc(8252, '7.3') },
  {
    id: 'RFC8707-2',
    says: 'A token is good at the resource it was asked for; without one, at the profile chosen in the consent and at /mcp.',
    clause: rfc(8707, '2'),
  },
  { id: 'RFC9207-2', says: 'The way back to the client carries iss, equal to the issuer in the metadata.', clause: rfc(9207, '2') },
  { id: 'OAUTH-ACCESS-DENIED', says: 'Deny sends access_denied back and creates nothing.', clause: oauth('4.1.2.1') },
  {
    id: 'OAUTH-CONSENT',
    says: 'The consent page shows who asks and how far that is verified, where the answer goes, the profile, and its tools by what they do; what is switched off is not granted.',
    clause: mcp('basic/authorization/security-considerations#localhost-redirect-uri-risks'),
  },
  {
    id: 'OAUTH-CORS',
    says: 'Metadata, token, registration and revocation are open to any web origin without credentials; authorize is to none.',
    clause: 'https://fetch.spec.whatwg.org/#http-cors-protocol',
  },
]

const protocol: readonly Requirement[] = [
  {
    id: 'MCP-2026-07-28-META',
    says: 'A request without the required _meta fields is -32602 with HTTP 400.',
    clause: mcp('basic/index#meta'),
  },
  {
    id: 'MCP-2026-07-28-HEADERS',
    says: 'Headers that do not mirror the body (version, method, name) are -32020 with HTTP 400.',
    clause: mcp('basic/transports/streamable-http#server-validation'),
  },
  {
    id: 'MCP-2026-07-28-NAME-HEADER',
    says: 'An upstream gets Mcp-Name with the name it knows, encoded where it is not plain ASCII, and Mcp-Param headers as they came.',
    clause: mcp('basic/transports/streamable-http#standard-request-headers'),
  },
  {
    id: 'MCP-2026-07-28-VERSION',
    says: 'An unsupported version is -32022 with HTTP 400, naming what is supported and what was asked for.',
    clause: mcp('basic/versioning#protocol-version-negotiation'),
  },
  {
    id: 'MCP-2026-07-28-DISCOVER',
    says: 'A client that asks server/discover learns versions and capabilities, with a private cache scope.',
    clause: mcp('server/discover'),
  },
  {
    id: 'MCP-2026-07-28-UNKNOWN-METHOD',
    says: 'An unknown method is -32601 with HTTP 404.',
    clause: mcp('basic/transports/streamable-http#protocol-version-header'),
  },
  {
    id: 'MCP-2026-07-28-TOOLS-LIST',
    says: 'The answer to tools/list holds the granted tools and no others, in a stable order, not to be shared between tokens.',
    clause: mcp('server/tools#listing-tools'),
  },
  {
    id: 'MCP-2026-07-28-TOOLS-CALL',
    says: "A call reaches the upstream under its own tool name, and its result comes back whole, with resultType and this server's name.",
    clause: mcp('server/tools#calling-tools'),
  },
  {
    id: 'MCP-2026-07-28-PROGRESS',
    says: "Progress comes on the call's own stream, with the token that the client chose.",
    clause: mcp('basic/patterns/progress'),
  },
  {
    id: 'MCP-2026-07-28-CANCEL',
    says: 'Closing the stream cancels the call at the upstream.',
    clause: mcp('basic/transports/streamable-http#cancellation'),
  },
  {
    id: 'MCP-LEGACY-INITIALIZE',
    says: 'A client of each revision from 2025-03-26 on initialises, lists and calls in a session.',
    clause: mcp('basic/lifecycle#initialization', '2025-11-25'),
  },
  {
    id: 'MCP-LEGACY-SESSION',
    says: 'An unknown session is 404, and a session answers only to the user and client that opened it.',
    clause: mcp('basic/transports#session-management', '2025-11-25'),
  },
  {
    id: 'MCP-LEGACY-CANCEL',
    says: "A legacy client's cancelled notification reaches the upstream.",
    clause: mcp('basic/utilities/cancellation', '2025-11-25'),
  },
  {
    id: 'MCP-BRIDGE-UP',
    says: 'A client of the current revision uses an upstream that knows only the older ones.',
    clause: mcp('basic/versioning#compatibility-matrix'),
  },
  {
    id: 'MCP-BRIDGE-DOWN',
    says: 'A client of an older revision uses an upstream that knows only the current one.',
    clause: mcp('basic/versioning#compatibility-matrix'),
  },
  {
    id: 'MCP-EXPOSED-NAMES',
    says: 'Exposed names fit what clients accept, are stable, and two tools never share one.',
    clause: mcp('server/tools#tool-names'),
  },
]

const house: readonly Requirement[] = [
  {
    id: 'HOUSE-SETTINGS',
    says: 'It starts with nothing set; a wrong or unknown setting stops it with one sentence.',
    clause: 'README.md#settings',
  },
  {
    id: 'HOUSE-SET-UP',
    says: 'The first start prints one set-up link, which makes the administrator by POST and never by GET.',
    clause: 'README.md#the-first-three-minutes',
  },
  {
    id: 'HOUSE-LOCKS',
    says: 'Every route that is not public refuses a stranger before it reads the body.',
    clause: 'ARCHITECTURE.md#what-is-not-there',
  },
  {
    id: 'HOUSE-REVOKE',
    says: 'After a revocation the next request is 401, and open streams end within a second.',
    clause: 'ARCHITECTURE.md#a-call',
  },
  {
    id: 'HOUSE-AUDIT',
    says: 'Each call leaves a row with client, profile, tool, outcome and time, a refused one too.',
    clause: 'ARCHITECTURE.md#what-acknowledged-means',
  },
  {
    id: 'HOUSE-UPSTREAM-DOWN',
    says: 'An upstream that is down costs its own tools, says so, and leaves the others alone.',
    clause: 'ARCHITECTURE.md#a-call',
  },
  {
    id: 'HOUSE-RESTART',
    says: 'Sessions, clients, grants and tokens outlive a restart.',
    clause: 'ARCHITECTURE.md#what-acknowledged-means',
  },
  {
    id: 'HOUSE-EXECUTABLE',
    says: 'The executable runs in an empty folder with nothing else installed.',
    clause: 'docs/adr/0001-one-executable-on-bun.md',
  },
]

export const REQUIREMENTS: readonly Requirement[] = [
  ...abuse,
  ...abuseOfTheHouse,
  ...activity,
  ...apply,
  ...approvals,
  ...authorization,
  ...protocol,
  ...house,
  ...catalogue,
  ...clients,
  ...connectors,
  ...connections,
  ...consent,
  ...control,
  ...developers,
  ...gatewaySafety,
  ...interop,
  ...doctor,
  ...gateway,
  ...server,
  ...upstreams,
  ...registry,
  ...plugins,
  ...providers,
  ...trail,
  ...definitions,
  ...limits,
  ...profiles,
  ...programs,
]
