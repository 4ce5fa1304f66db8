/** The pages and commands by which clients, grants and access tokens are looked after. */
import type { Requirement } from '../requirements.ts'

const registration = 'https://www.rfc-editor.org/rfc/rfc7591#section-5'

export const registry: readonly Requirement[] = [
  {
    id: 'REGISTRY-ADMINS',
    says: 'Only administrators see all clients and decide about them; to members each of these routes is a 403.',
    clause: 'ARCHITECTURE.md#what-is-not-there',
  },
  {
    id: 'REGISTRY-FIND',
    says: 'The list of clients is found by name, kind and state in the address, fifty on a page, and one query counts their users.',
    clause: 'ARCHITECTURE.md#where-things-are',
  },
  {
    id: 'REGISTRY-POLICY',
    says: 'Where clients are admitted by approval or by list alone, a new one gets no consent until an administrator admits it.',
    clause: registration,
  },
  {
    id: 'REGISTRY-PREREGISTER',
    says: 'A client registered by an administrator gets a secret if it can keep one: shown once, stored as its hash, asked for at the token endpoint.',
    clause: 'https://www.rfc-editor.org/rfc/rfc6749#section-2',
  },
  {
    id: 'REGISTRY-BLOCK',
    says: 'Blocking a client holds on its next request and ends its open streams; unblocking gives back what was allowed.',
    clause: 'ARCHITECTURE.md#a-call',
  },
  {
    id: 'REGISTRY-REMOVE',
    says: 'Deleting a client says whose connected apps end, ends them at once, and leaves the client unknown at the token endpoint.',
    clause: 'https://www.rfc-editor.org/rfc/rfc6749#section-5.2',
  },
  {
    id: 'REGISTRY-OWN',
    says: 'A member sees the clients they let in, with their own connected apps, and nobody else’s.',
    clause: 'ARCHITECTURE.md#words',
  },
  {
    id: 'REGISTRY-COMMANDS',
    says: 'The command line lists, adds, approves, blocks and removes clients, in a running house and in one that is stopped.',
    clause: 'ARCHITECTURE.md#where-things-are',
  },
  {
    id: 'GRANT-NETWORKS',
    says: 'A grant keeps the last five networks it came from, never finer than a /24 or a /64, with first and last use.',
    clause: 'ARCHITECTURE.md#words',
  },
  {
    id: 'SCRIPT-TOKEN',
    says: 'An access token made for a script is good at one profile, for the tools that were chosen, and nowhere else.',
    clause: 'https://www.rfc-editor.org/rfc/rfc6750#section-2.1',
  },
  {
    id: 'SCRIPT-TOKEN-ONCE',
    says: 'An access token is shown on the page that answers its making and never again: not stored, not in an address or a cookie.',
    clause: 'ARCHITECTURE.md#what-is-not-there',
  },
  {
    id: 'SCRIPT-TOKEN-ENDS',
    says: 'An access token ends with its time or with its revocation, on the very next request, and its history stays.',
    clause: 'https://www.rfc-editor.org/rfc/rfc6750#section-3.1',
  },
  {
    id: 'SCRIPT-TOKEN-FORM',
    says: 'A token without a name, without a tool, with a tool from elsewhere or for a profile of somebody else is refused.',
    clause: 'ARCHITECTURE.md#what-is-not-there',
  },
]
