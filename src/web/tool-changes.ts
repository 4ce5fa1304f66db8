/** What a server changed about a tool that somebody picked, as lines to read. */
import { inKeyOrder } from '@/connections'
import type { ChangedTool } from '@views/profile-changes.tsx'
import type { ProfileTool, ProfileView } from './needs.ts'

const LINES_AROUND = 2
const DIFF_MS = 300

export async function changesOf({ heldBack }: Pick<ProfileView, 'heldBack'>): Promise<ChangedTool[]> {
  if (heldBack.length === 0) return []
  // Comparing is rare, and no start should wait for it.
  const { structuredPatch } = await import('diff')
  return heldBack.map((tool) => ({
    id: tool.toolId,
    feature: tool.feature,
    hash: tool.hash,
    name: tool.upstreamName,
    connection: tool.connectionName,
    lines: linesOf(tool, structuredPatch),
  }))
}

function linesOf({ approvedDefinition, definition }: ProfileTool, structuredPatch: typeof import('diff').structuredPatch): string[] {
  const [before, after] = [textOf(approvedDefinition), textOf(definition)]
  const patch = structuredPatch('', '', before, after, '', '', { context: LINES_AROUND, timeout: DIFF_MS })
  // Two texts that take so long to compare have little in common.
  if (!patch) return [...before.split('\n').map((line) => `-${line}`), ...after.split('\n').map((line) => `+${line}`)]
  return patch.hunks.flatMap(({ lines }, at) => (at === 0 ? lines : [' …', ...lines])).filter((line) => !line.startsWith('\\'))
}

/** Words as they are written, everything else as JSON with its keys in order: only what differs shall look different. */
function textOf(definition: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(inKeyOrder(definition) as typeof definition).map(([key, value]) =>
    typeof value === 'string' ? `${key}: ${value}` : `${key}: ${JSON.stringify(value, undefined, 2)}`,
  )
  return `${parts.join('\n')}\n`
}
