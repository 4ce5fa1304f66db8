/** What a server changed about a tool that somebody picked, as lines to read. */
import { structuredPatch } from 'diff'
import type { ChangedTool } from '@views/profile-changes.tsx'
import type { ProfileTool, ProfileView } from './needs.ts'

const LINES_AROUND = 2
const DIFF_MS = 300

export const changesOf = ({ heldBack }: Pick<ProfileView, 'heldBack'>): ChangedTool[] =>
  heldBack.map((tool) => ({
    id: tool.toolId,
    hash: tool.hash,
    name: tool.upstreamName,
    connection: tool.connectionName,
    lines: linesOf(tool),
  }))

function linesOf({ approvedDefinition, definition }: ProfileTool): string[] {
  const [before, after] = [textOf(approvedDefinition), textOf(definition)]
  const patch = structuredPatch('', '', before, after, '', '', { context: LINES_AROUND, timeout: DIFF_MS })
  // Two texts that take so long to compare have little in common.
  if (!patch) return [...before.split('\n').map((line) => `-${line}`), ...after.split('\n').map((line) => `+${line}`)]
  return patch.hunks.flatMap(({ lines }, at) => (at === 0 ? lines : [' …', ...lines])).filter((line) => !line.startsWith('\\'))
}

/** Words as they are written, everything else as JSON with its keys in order: only what differs shall look different. */
function textOf(definition: Readonly<Record<string, unknown>>): string {
  const parts = Object.keys(definition)
    .sort()
    .map((key) => {
      const value = definition[key]
      return typeof value === 'string' ? `${key}: ${value}` : `${key}: ${JSON.stringify(inOrder(value), undefined, 2)}`
    })
  return `${parts.join('\n')}\n`
}

// The depth was limited when the message was read, so the recursion is bounded.
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, inOrder(inner)]),
  )
}
