/** What is in a profile and how apps see it, by its pages. */
import type { Requirement } from '../requirements.ts'

const guide = (heading: string) => `docs/guides/profiles.md#${heading}`

export const profiles: readonly Requirement[] = [
  {
    id: 'PROFILE-FEATURES',
    says: 'Prompts and resources are shown, proposed, picked and kept beside the tools of their connection, without JavaScript as well.',
    clause: guide('tools-prompts-and-resources'),
  },
  {
    id: 'PROFILE-DELIVERY',
    says: 'A profile says what either way of serving it costs, and the limits of well-known apps are measured by what is really listed.',
    clause: guide('by-search'),
  },
  {
    id: 'PROFILE-ADJUST',
    says: 'One tool of a profile gets a name, words and arguments of its own; what is wrong is said at its field, and nothing is lost.',
    clause: guide('one-tool-adjusted'),
  },
  {
    id: 'PROFILE-PURPOSE',
    says: 'A profile that asks what calls are for gives its tools one optional argument more; what a model says in it stands in the trail and never reaches the server.',
    clause: guide('what-a-call-is-for'),
  },
]
