/** `toolpass apply`: a house as a file declares it. */
import type { Requirement } from '../requirements.ts'

const guide = (heading: string) => `docs/guides/apply.md#${heading}`

export const apply: readonly Requirement[] = [
  {
    id: 'APPLY-DECLARES',
    says: 'Users, connections, profiles and clients are made as a file declares them, whether Toolpass runs or not.',
    clause: guide('a-whole-file'),
  },
  {
    id: 'APPLY-IDEMPOTENT',
    says: 'A second run has nothing to do, what was changed by hand is put back, and what the file does not name is left alone.',
    clause: guide('running-it-again'),
  },
  {
    id: 'APPLY-DRY',
    says: 'A dry run changes nothing and prints each difference as one line of field names, never the value of a secret.',
    clause: guide('running-it'),
  },
  {
    id: 'APPLY-SECRETS',
    says: 'Secrets are named by variable or by file and read by the command; one that stands in the file is refused.',
    clause: guide('secrets'),
  },
  {
    id: 'APPLY-WHOLE',
    says: 'A file with anything wrong in it is refused before anything is changed, each problem with its line and its place.',
    clause: guide('when-something-is-wrong'),
  },
  {
    id: 'APPLY-PRUNE',
    says: 'Only what an earlier apply made is ever removed, only when asked, and after a confirmation; a user is only disabled.',
    clause: guide('removing'),
  },
  {
    id: 'APPLY-DOWN',
    says: 'A server that is down keeps nothing else from being made: the missing tools are named and the exit status is 1.',
    clause: guide('when-something-is-wrong'),
  },
  {
    id: 'APPLY-HOSTILE',
    says: 'Aliases, duplicate names, __proto__, bottomless nesting and a file without end are refused quickly and in a sentence.',
    clause: guide('when-something-is-wrong'),
  },
]
