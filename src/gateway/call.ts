import type { Audit, CallRecord } from '@/audit'
import { mirroredHeaders, type Upstream } from '@/connections'
import type { Clock } from '@/lib/clock.ts'
import { MINUTE_MS } from '@/lib/clock.ts'
import { Failure, isFailure } from '@/lib/failure.ts'
import type { ClientId, ConnectionId, ProfileId, UserId } from '@/lib/ids.ts'
import { decide } from '@/grants'
import type { JsonObject, JsonRpcResponse } from '@/plugins'
import type { ProfileTool, ProfileView } from '@/profiles'
import type { Caller } from './caller.ts'
import { metaOf } from './messages.ts'

export type CallDeps = {
  profiles: { viewFor(userId: UserId, id: ProfileId): Promise<ProfileView> }
  connections: { reach(id: ConnectionId, userId: UserId): Promise<Upstream> }
  users: { find(id: UserId): Promise<{ username: string } | undefined> }
  clients: { findById(id: ClientId): Promise<{ name: string } | undefined> }
  audit: Pick<Audit, 'record'>
  clock: Clock
}
export type CallOptions = {
  signal: AbortSignal
  bytes: number
  /** `Mcp-Param-*` headers, passed on as they came. */
  headers?: Record<string, string>
  onProgress?: (params: JsonObject) => void
  /** Our own address, for what a person is to open. */
  home: string
}

const CALL_TIMEOUT_MS = 10 * MINUTE_MS

/**
 * One tools/call, start to finish. The permission check sits inside `record`, so a refused call leaves the same trace as a
 * served one. @throws Failure
 */
export const createCallTool =
  ({ profiles, connections, users, clients, audit, clock }: CallDeps) =>
  async (caller: Caller, params: JsonObject, options: CallOptions): Promise<JsonRpcResponse> => {
    const exposedName = typeof params['name'] === 'string' ? params['name'].slice(0, 200) : ''
    const [user, client] = await Promise.all([users.find(caller.userId), clients.findById(caller.clientId)])
    const asked: CallRecord = {
      action: 'tools/call',
      subject: exposedName,
      userId: caller.userId,
      userName: user?.username ?? null,
      clientId: caller.clientId,
      clientName: client?.name ?? null,
      grantId: caller.grant.id,
      profileId: caller.profile.id,
      profileName: caller.profile.title,
      address: caller.address,
      requestBytes: options.bytes,
    }
    return audit.record(asked, async (record) => {
      const tool = (await profiles.viewFor(caller.userId, caller.profile.id)).byExposedName.get(exposedName)
      const permission = tool ? decide(caller.grant, tool.toolId, clock()) : 'refuse'
      // Not there, not in the profile, not granted: all look alike, so that names cannot be probed.
      if (!tool || permission === 'refuse') throw new Failure('tool_not_granted')
      complete(record, tool)
      if (tool.isHeldBack) return heldBack(record, 'definition_changed', changed(tool, options.home))
      if (permission === 'ask') return heldBack(record, 'needs_approval', NOBODY_ASKED)
      const startedUs = performance.now() * 1_000
      try {
        const upstream = await connections.reach(tool.connectionId, caller.userId)
        const response = await upstream.request('tools/call', { ...params, name: tool.upstreamName }, requestOptions(tool, params, options))
        judge(record, response)
        return response
      } catch (error) {
        throw isFailure(error, 'upstream_unauthorized') ? needsSignIn(tool, options.home, error) : error
      } finally {
        record.upstreamUs = Math.round(performance.now() * 1_000 - startedUs)
      }
    })
  }

/** What the person reads in their app, with the page on which they can do something about it. */
const needsSignIn = (tool: ProfileTool, home: string, cause: Failure): Failure =>
  new Failure('upstream_unauthorized', {
    message: `${tool.connectionName} needs a sign-in before this tool works. Open ${home}/connections/${tool.connectionId}`,
    cause,
  })

const NOBODY_ASKED = 'This tool is set to ask first, and nobody could be asked. Its owner can allow it in Toolpass.'
const changed = ({ connectionName }: ProfileTool, home: string) =>
  `${connectionName} changed this tool since it was picked, and it waits until somebody has looked at the change: ${home}/profiles`

/** What a person should look at first must not simply happen. */
function heldBack(record: CallRecord, reason: string, text: string): JsonRpcResponse {
  record.outcome = 'refused'
  record.reason = reason
  return { jsonrpc: '2.0', id: 0, result: { content: [{ type: 'text', text }], isError: true } }
}

function complete(record: CallRecord, tool: ProfileTool): void {
  record.toolId = tool.toolId
  record.connectionId = tool.connectionId
  record.connectionName = tool.connectionName
  record.readOnly = tool.kind === 'read'
}

function requestOptions({ definition }: ProfileTool, params: JsonObject, { signal, headers, onProgress }: CallOptions) {
  // What the tool marks is mirrored from the arguments themselves; other headers of the client pass as they came.
  const sent = { ...headers, ...mirroredHeaders(definition, params['arguments']) }
  const common = { signal, timeoutMs: CALL_TIMEOUT_MS, meta: metaOf(params), headers: sent }
  if (!onProgress) return common
  return {
    ...common,
    progress: true,
    receive: (message: { method: string; params?: JsonObject }) => {
      if (message.method === 'notifications/progress') onProgress(message.params ?? {})
    },
  }
}

function judge(record: CallRecord, { result, error }: JsonRpcResponse): void {
  record.responseBytes = Buffer.byteLength(JSON.stringify(result ?? error))
  if (error) {
    record.outcome = 'failed'
    record.reason = `upstream_error ${error.code}`
  } else if (result['isError'] === true) record.outcome = 'tool-error'
}
