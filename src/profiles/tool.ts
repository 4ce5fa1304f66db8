import type { Feature } from '@/connections'
import type { ConnectionId, ToolId, UserId } from '@/lib/ids.ts'
import type { JsonObject } from '@/plugins'
import type { Override } from '@/store'

/** Of any feature: a prompt, a resource and a template are picked, granted and named as tools are. */
export type ProfileTool = {
  toolId: ToolId
  feature: Feature
  connectionId: ConnectionId
  connectionName: string
  prefix: string
  exposedName: string
  upstreamName: string
  definition: JsonObject
  override: Override | undefined
  isPinned: boolean
  /** By its server's annotations, or as its user corrected them. */
  kind: 'read' | 'write' | 'destructive'
  /** As apps get it. */
  contextCost: number
  /** Its server changed it since it was picked: it waits, unlisted and uncalled, until its user has seen how. */
  isHeldBack: boolean
  approvedDefinition: JsonObject
  hash: string
  /** What the argument is called by which a call says what it is for; undefined where the profile does not ask. */
  purposeName: string | undefined
  /** Whoever has the profile, or its owner alone: a tool of a private connection is nobody else's to call. */
  usableBy: 'everyone' | UserId
}
