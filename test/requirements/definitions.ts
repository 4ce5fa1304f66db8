/** Definitions of tools, as they were picked and as they changed. */
import type { Requirement } from '../requirements.ts'

const guide = 'docs/guides/profiles.md#when-a-server-changes-a-tool'

export const definitions: readonly Requirement[] = [
  {
    id: 'DEFINITION-DIFF',
    says: 'What changed in a definition is said word by word and in sentences, with what came and went told by more than a colour, before the whole of it.',
    clause: guide,
  },
  {
    id: 'DEFINITION-SUSPICION',
    says: 'Hidden characters, look-alike letters and words that instruct a model are pointed out where a tool is picked and where it changed, and honest definitions are left alone.',
    clause: 'https://modelcontextprotocol.io/specification/2026-07-28/server/tools#security-considerations',
  },
  {
    id: 'DEFINITION-ACCEPT',
    says: 'A change is accepted for one profile or for all of its user, as it was seen, or the tool is taken out.',
    clause: guide,
  },
  {
    id: 'DEFINITION-TRUST',
    says: "Changes of a server that its owner trusts are taken over in their own profiles and stand in the trail; they are nobody else's, and end where the connection moves.",
    clause: guide,
  },
]
