/** Calls that wait for their user, and how a user is told. */
import type { Requirement } from '../requirements.ts'

const CALL = 'ARCHITECTURE.md#an-approval'
const ASKING = 'docs/adr/0028-a-call-waits-for-its-user.md'

export const approvals: readonly Requirement[] = [
  {
    id: 'APPROVAL-WAITS',
    says: 'A call of a tool that asks first does not reach its server before its user said yes; it waits for the word, and a client sees that it lives.',
    clause: CALL,
  },
  {
    id: 'APPROVAL-REPEAT',
    says: 'A call that nobody decided about in time is answered with a link; once approved, exactly one identical repeat runs, however many come at once.',
    clause: CALL,
  },
  {
    id: 'APPROVAL-BOUND',
    says: 'What was approved is what runs: other arguments, another tool, another grant or another definition need an approval of their own.',
    clause: CALL,
  },
  {
    id: 'APPROVAL-WORDS',
    says: 'Its user approves once, for an hour or always, or refuses; each is in the trail with who said it and where, as is what was asked, used and ran out.',
    clause: CALL,
  },
  {
    id: 'APPROVAL-ENDS',
    says: 'A pause, a revocation, a narrowed permission or a changed definition ends what waits and what was approved at once, and answers who waited.',
    clause: CALL,
  },
  {
    id: 'APPROVAL-DURABLE',
    says: 'A decision is in the file before it is answered for: after a crash it holds, and what waited can still be decided.',
    clause: 'ARCHITECTURE.md#what-acknowledged-means',
  },
  {
    id: 'APPROVAL-IN-APP',
    says: 'An app that can show a form asks its user itself where the user wants that; nothing but a filled-in form counts, and what destroys is decided on the page.',
    clause: ASKING,
  },
  {
    id: 'APPROVAL-BOUNDED',
    says: 'Only so many calls of a grant and of a user wait at once, and the next is told so.',
    clause: CALL,
  },
  {
    id: 'APPROVAL-OWN',
    says: 'A call is shown to its own user alone and decided by nobody else; ids of others look like missing ones.',
    clause: CALL,
  },
  {
    id: 'APPROVAL-SHOWN',
    says: 'The page shows all that will go to the server, hidden characters pointed out, with four answers that weigh the same.',
    clause: ASKING,
  },
  {
    id: 'NOTICE-WAYS',
    says: 'A user is told by ntfy, by a signed webhook and by sealed Web Push, of the topics they chose, without arguments and with a link that decides nothing by itself.',
    clause: ASKING,
  },
  {
    id: 'NOTICE-SEALED',
    says: 'Where a notice goes and with which token is stored sealed and shown to nobody again.',
    clause: 'docs/adr/0012-sealed-credentials.md',
  },
  {
    id: 'NOTICE-GUARDED',
    says: 'A notice of a member reaches no address of the network that the house stands in; no redirect is followed.',
    clause: 'docs/adr/0009-one-guarded-way-out.md',
  },
  {
    id: 'NOTICE-QUIET',
    says: 'A way that fails is tried a few times with growing pauses, holds no call up, and says on its page what is wrong.',
    clause: ASKING,
  },
  {
    id: 'NOTICE-NEWS',
    says: 'The owner of a profile is told once of tools that their server changed, and the user of a sign-in when it fails.',
    clause: ASKING,
  },
]
