/** Attacks on what is passed on, on the pages and on the house itself: the rows of the abuse table that stand in no other list. */
import type { Requirement } from '../requirements.ts'

const mcp = (page: string, revision = '2026-07-28') => `https://modelcontextprotocol.io/specification/${revision}/${page}`
const rfc = (number: number, section: string) => `https://www.rfc-editor.org/rfc/rfc${number}#section-${section}`

export const abuse: readonly Requirement[] = [
  {
    id: 'ABUSE-18',
    says: 'A paused app gets 403 with its sentence on the next request and keeps its tokens; a revoked one gets 401, and its open streams end within a second.',
    clause: rfc(7009, '2.1'),
  },
  {
    id: 'ABUSE-40',
    says: 'A password changes only for who gives the one before it, or holds a one-time link, and every other session of the account ends.',
    clause: 'SECURITY.md#sessions',
  },
  {
    id: 'ABUSE-48',
    says: 'An upstream that floods, falls silent, lies or bursts costs its own calls alone: they end in a sentence, others are served meanwhile, and memory stays bounded.',
    clause: 'ARCHITECTURE.md#a-call',
  },
  {
    id: 'ABUSE-49',
    says: "No tool takes another's place by its name, by letters that look alike or by letters that cannot be seen.",
    clause: mcp('server/tools#tool-names'),
  },
  {
    id: 'ABUSE-50',
    says: 'A tool whose definition changes after it was picked is held back, unlisted and uncalled, until its user accepts the change that they saw.',
    clause: mcp('server/tools#security-considerations'),
  },
  {
    id: 'ABUSE-53',
    says: 'After a full run no secret is in the log, the audit, a page, an error, a command line or a file of the data folder in clear.',
    clause: 'ARCHITECTURE.md#what-is-not-there',
  },
  {
    id: 'ABUSE-54',
    says: 'No cell of a CSV that is taken away is run by a spreadsheet as a formula.',
    clause: 'docs/guides/audit-trail.md#taking-it-away',
  },
  {
    id: 'ABUSE-55',
    says: 'What is too deep, too large, too slow or names the prototype is refused with 400, 413, 408 or 431 at every public POST, and harms nothing.',
    clause: rfc(9110, '15.5.14'),
  },
  {
    id: 'ABUSE-57',
    says: 'A user who opens streams without end meets 429, keeps their calls, and a stream that nobody reads is closed.',
    clause: rfc(6585, '4'),
  },
  {
    id: 'ABUSE-59',
    says: 'A full disk, a data folder that cannot be written, a broken database and a wrong key each meet a clear sentence and damage nothing.',
    clause: 'ARCHITECTURE.md#what-acknowledged-means',
  },
  {
    id: 'ABUSE-60',
    says: 'A copy of the database without the key holds no session, token or credential that can be used.',
    clause: 'ARCHITECTURE.md#what-is-not-there',
  },
]
