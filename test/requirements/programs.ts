/** Programs that run on the machine of Toolpass. */
import type { Requirement } from '../requirements.ts'

const clause = 'SECURITY.md#programs-that-run-here'
const sandbox = 'docs/adr/0010-a-sandbox-without-a-helper.md'

export const programs: readonly Requirement[] = [
  {
    id: 'PROGRAM-WHO',
    says: 'Programs are defined by administrators and the members they allow; what may not run any more is stopped at once and says why.',
    clause,
  },
  {
    id: 'PROGRAM-COMMANDS',
    says: 'Where an administrator lists programs only those start, under exactly that name or path and without variables that load other code.',
    clause,
  },
  {
    id: 'PROGRAM-GIFT',
    says: 'A user who may not define programs cannot make another program of one by the variables they give as their credential.',
    clause,
  },
  { id: 'PROGRAM-PAGE', says: 'A page shows what runs, what it holds and what protects from it, and stops it.', clause },
  { id: 'PROGRAM-IDLE', says: 'A program starts at its first use and ends when nobody has used it for a while.', clause },
  { id: 'PROGRAM-MEMORY', says: 'A program that holds more memory than its connection allows is ended, its children with it.', clause },
  { id: 'PROGRAM-PROCESSES', says: 'A program that starts too many processes is ended with all of them.', clause },
  {
    id: 'PROGRAM-RESTART',
    says: 'A program that keeps dying waits longer before each start, up to a minute, and is believed again after a good minute.',
    clause: sandbox,
  },
  { id: 'PROGRAM-MISSING', says: 'A program that is missing is named with what to install or what to use instead.', clause },
  { id: 'PROGRAM-FETCHES', says: 'Before it is added the form says what the program will download, and from where in general.', clause },
  {
    id: 'PROGRAM-REAL',
    says: 'Published servers from npm and PyPI start, list and answer as programs here, without anything else installed for the former.',
    clause: sandbox,
  },
]
