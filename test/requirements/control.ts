/** What users and administrators change of apps that are connected, and how soon it holds. */
import type { Requirement } from '../requirements.ts'

const guide = (heading: string) => `docs/guides/control.md#${heading}`

export const control: readonly Requirement[] = [
  {
    id: 'CONTROL-PERMIT',
    says: 'Each tool of an app is allowed, asked for or refused, by name or by kind, in one act with one row in the trail; it holds for the next call and the next list, and the app is told once.',
    clause: guide('what-an-app-may-use'),
  },
  {
    id: 'CONTROL-LATER',
    says: 'Tools that join a profile later are out or in as was chosen, and choosing changes nothing of those that are there.',
    clause: guide('what-an-app-may-use'),
  },
  {
    id: 'CONTROL-KIND',
    says: 'A kind that was corrected counts everywhere instead of what the server says, and apps are told of it in the annotations.',
    clause: guide('what-an-app-may-use'),
  },
  {
    id: 'CONTROL-PAUSE',
    says: 'A paused app, client, profile, user or house answers 403 with its sentence, keeps tokens and sessions, and goes on with the same ones; running calls end within a second.',
    clause: guide('pausing'),
  },
  {
    id: 'CONTROL-CONNECTION',
    says: 'A paused connection takes its own tools out of lists and calls, ends its running calls, and leaves the rest of the app alone.',
    clause: guide('pausing'),
  },
  {
    id: 'CONTROL-WHOSE',
    says: 'What one user pauses, resumes or revokes touches no other user, what others paused is not theirs to resume, and what is an administrator’s is refused to members.',
    clause: guide('pausing'),
  },
  {
    id: 'CONTROL-KEPT',
    says: 'What was acknowledged as paused is paused after kill -9.',
    clause: 'ARCHITECTURE.md#what-acknowledged-means',
  },
  {
    id: 'CONTROL-REVOKE',
    says: 'Revoking many ends exactly those that are meant, each with its row in the trail.',
    clause: guide('revoking'),
  },
  {
    id: 'CONTROL-EXPIRY',
    says: 'An app gets more time or less without noticing: its tokens last as long as its grant, and one that has ended stays so.',
    clause: guide('until-when'),
  },
  {
    id: 'CONTROL-SWITCH',
    says: 'A grant for /mcp moves to another profile with the same tokens and sessions; the app is told once, and gets of a new profile what was proposed and nothing that was refused before.',
    clause: guide('switching-profiles'),
  },
  {
    id: 'CONTROL-SCHEDULE',
    says: 'A switch by schedule is carried out once, by the clock of its place, also after sleep, restart and the days on which clocks change.',
    clause: guide('switching-profiles'),
  },
  {
    id: 'CONTROL-PAGES',
    says: 'All of it works by forms without JavaScript, says what it met, and is asked for once more where it destroys.',
    clause: guide('controlling-what-is-connected'),
  },
  {
    id: 'CONTROL-BROWSER',
    says: 'In a browser, against the executable, each control is felt by a client that is connected: by its next call, its next list and its open stream, within a second.',
    clause: guide('controlling-what-is-connected'),
  },
]
