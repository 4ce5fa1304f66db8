/** How clients become known: registration, metadata documents, keys, and what an administrator admits. */
import type { Requirement } from '../requirements.ts'

const rfc = (number: number, section: string) => `https://www.rfc-editor.org/rfc/rfc${number}#section-${section}`
const cimd = (section: string) => `https://datatracker.ietf.org/doc/html/draft-ietf-oauth-client-id-metadata-document-00#section-${section}`

export const clients: readonly Requirement[] = [
  {
    id: 'ABUSE-21',
    says: 'A metadata document at an address inside, however it is written or reached by name, is refused without a connection.',
    clause: cimd('6.5'),
  },
  {
    id: 'ABUSE-22',
    says: 'A host name of a metadata document is checked once a request, and only the address that was checked is spoken to.',
    clause: cimd('6.5'),
  },
  {
    id: 'ABUSE-23',
    says: 'A metadata document behind a redirect, too large, without end, packed, dripping, of another client or with a secret is refused.',
    clause: cimd('6.6'),
  },
  {
    id: 'ABUSE-24',
    says: 'A metadata document that fails is asked for a few times and then rests, and so does whoever names failing ones.',
    clause: cimd('6.5'),
  },
  {
    id: 'CIMD-ADDRESS',
    says: 'A client id that is an address has https, a path and its one normal spelling; no user, fragment or dot segments.',
    clause: cimd('3'),
  },
  {
    id: 'CIMD-CACHE',
    says: 'A copy of a metadata document is fresh as long as its answer says, a minute at least and a day at most.',
    clause: cimd('4.4'),
  },
  {
    id: 'CIMD-LAST-GOOD',
    says: 'The last good copy of a metadata document stays usable while its host gives none, and not once the document was taken back.',
    clause: cimd('4.4'),
  },
  {
    id: 'CIMD-CHANGED',
    says: 'A metadata document with other redirect URIs than before ends what users allowed to the earlier one.',
    clause: cimd('6.3'),
  },
  {
    id: 'CLIENT-KEYS',
    says: 'Keys of a client come with its metadata or from its address, are kept for an hour and looked for again once a minute.',
    clause: rfc(7591, '2'),
  },
  {
    id: 'CLIENT-ADMISSION',
    says: 'A house admits every client, those that an administrator approved, or those on its list; who is in use stays in.',
    clause: rfc(7591, '5'),
  },
  {
    id: 'CLIENT-PREREGISTERED',
    says: 'An administrator registers a client by name and redirect URIs; each field that is wrong is named.',
    clause: rfc(6749, '2'),
  },
  {
    id: 'CLIENT-LISTED',
    says: 'An administrator lists a metadata document before anybody uses it; it is fetched then, admitted, and does not expire.',
    clause: cimd('4'),
  },
  {
    id: 'REGISTRATION-READ',
    says: 'A client reads its registration with the token that it was given, and nobody does without.',
    clause: rfc(7592, '2.1'),
  },
  {
    id: 'REGISTRATION-UPDATE',
    says: 'A client replaces its whole description; its id, secret and way to prove itself stay, and other redirect URIs end what was allowed.',
    clause: rfc(7592, '2.2'),
  },
  {
    id: 'REGISTRATION-BOUND',
    says: 'A registration is at most 16 KB, its keys are stored once, and of those that nobody let in the one that expires first makes room.',
    clause: rfc(7591, '5'),
  },
  {
    id: 'CLIENT-APPROVAL',
    says: 'An approval is of the app that was looked at: another name, other redirect URIs or grant types need a new one.',
    clause: rfc(7592, '5'),
  },
  {
    id: 'CLIENT-LISTING',
    says: 'A page of clients is filtered, counted and cut by the database, and reads no keys, secrets or descriptions.',
    clause: 'ARCHITECTURE.md#words',
  },
  {
    id: 'REGISTRATION-DELETE',
    says: 'A client that deletes its registration is unknown from then on, and so is its token.',
    clause: rfc(7592, '2.3'),
  },
  {
    id: 'REDIRECT-EXACT',
    says: 'A registered redirect URI matches itself and, but for the port of a loopback address, nothing that differs in a character.',
    clause: rfc(8252, '7.3'),
  },
]
