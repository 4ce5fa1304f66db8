/** Attacks on what is passed on, on the pages and on the house itself: the rows of the abuse table that stand in no other list. */
import type { Requirement } from '../requirements.ts'

const mcp = (page: string, revision = '2026-07-28') => `https://modelcontextprotocol.io/specification/${revision}/${page}`

export const abuse: readonly Requirement[] = [
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
]
