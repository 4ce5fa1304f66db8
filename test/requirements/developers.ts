/** What applications and their developers are given: the connect panel, the guide, the sample. */
import type { Requirement } from '../requirements.ts'

export const developers: readonly Requirement[] = [
  {
    id: 'KNOWN-EXACT',
    says: 'A client is known by the exact address of its document or of where the answer goes, never by its host and never on loopback.',
    clause: 'ARCHITECTURE.md#what-is-not-there',
  },
  {
    id: 'CONNECT-LINKS',
    says: 'Each install link and each line to copy in the connect panel holds the address and the name of the profile, whatever they are.',
    clause: 'https://modelcontextprotocol.io/specification/2026-07-28/basic/transports',
  },
  {
    id: 'CONNECT-PAGE',
    says: 'The connect panel shows every known client without JavaScript and writes what users chose as text.',
    clause: 'ARCHITECTURE.md#what-is-not-there',
  },
  {
    id: 'CONNECT-REACH',
    says: 'Where the address cannot be reached by a client, or the profile is too large for it, the panel says so beside the line.',
    clause: 'ARCHITECTURE.md#where-things-are',
  },
  {
    id: 'SAMPLE-JOURNEY',
    says: 'The sample application lists and calls the tools of the profile that its visitor allowed, by OAuth alone.',
    clause: 'docs/guides/building-on-toolpass.md#a-sample-that-runs',
  },
  {
    id: 'SAMPLE-SAFE',
    says: 'The sample takes an answer once, with its own state and issuer, in the browser that asked, and no form of another site.',
    clause: 'https://www.rfc-editor.org/rfc/rfc9700#section-4.7.1',
  },
  {
    id: 'SAMPLE-ENDS',
    says: 'The sample revokes when its visitor disconnects, and tells an access that ended from one that is paused.',
    clause: 'https://www.rfc-editor.org/rfc/rfc7009#section-2',
  },
  {
    id: 'SAMPLE-FORM',
    says: 'The sample makes a form of what a tool asks for, and arguments of what was filled in.',
    clause: 'https://modelcontextprotocol.io/specification/2026-07-28/server/tools',
  },
]
