/** How much an app, a user and a connection may take. */
import type { Requirement } from '../requirements.ts'

const guide = (heading: string) => `docs/guides/limits.md#${heading}`

export const limits: readonly Requirement[] = [
  {
    id: 'LIMIT-CALLS',
    says: 'An app, a user and a connection have the calls a minute and a day that were set for them; what is more is answered with 429, when to retry and whose limit it was, and leaves its row.',
    clause: guide('when-a-limit-is-reached'),
  },
  {
    id: 'LIMIT-AT-ONCE',
    says: 'Of calls at once the one too many is refused and not queued.',
    clause: guide('what-can-be-limited'),
  },
  {
    id: 'LIMIT-TIME',
    says: 'A call that takes longer than its limit is ended, at its server too.',
    clause: guide('what-can-be-limited'),
  },
  {
    id: 'LIMIT-SIZE',
    says: 'A result larger than its limit is cut and stays valid; the whole of it is kept for an hour, for the app that asked and no other.',
    clause: guide('large-results'),
  },
  {
    id: 'LIMIT-RESTART',
    says: 'A restart gives nobody a new day.',
    clause: guide('what-can-be-limited'),
  },
  {
    id: 'LIMIT-PAGES',
    says: 'A member sets limits for their own apps and connections, an administrator for users; each page shows how much is used and who set it.',
    clause: guide('who-sets-them'),
  },
]
