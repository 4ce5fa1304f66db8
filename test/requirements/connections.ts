/** Whose connection it is, and whose credential goes along. */
import type { Requirement } from '../requirements.ts'

const CLAUSE = 'ARCHITECTURE.md#what-is-not-there'

export const connections: readonly Requirement[] = [
  {
    id: 'CONNECTION-HEALTH',
    says: 'Connections in use or in trouble are tried again by the house itself, and lists that ran out are fetched anew.',
    clause: 'https://modelcontextprotocol.io/specification/2026-07-28/server/tools',
  },
  { id: 'SHARE-PRIVATE', says: 'A private connection is invisible to everybody but its owner.', clause: CLAUSE },
  {
    id: 'SHARE-OWNER',
    says: 'An open connection with its owner’s credential is used by all with that one, which nobody sees or changes.',
    clause: CLAUSE,
  },
  {
    id: 'SHARE-EACH',
    says: 'Where each has their own credential, nobody’s is ever used for another, and without one the call says what to do.',
    clause: CLAUSE,
  },
  {
    id: 'SHARE-MOVED',
    says: 'A connection that is pointed elsewhere takes nobody else’s credential and no sign-in along.',
    clause: CLAUSE,
  },
  { id: 'SHARE-PURE', says: 'Who sees, uses, changes and signs in is one pure function of user and connection.', clause: CLAUSE },
  {
    id: 'SHARE-PROFILE',
    says: 'An open profile serves others the tools that are open to them, and nothing once it is closed again.',
    clause: CLAUSE,
  },
]
