/** A house with an upstream whose tools ask first, an app that may use them, and the user who decides. */
import type { ApprovalId, ToolId } from '@/lib/ids.ts'
import type { User } from '@/users'
import { answerText, json, startEchoUpstream } from './echo-upstream.ts'
import { type App, openGatewayHouse } from './gateway-house.ts'
import { eventually } from './outside.ts'

type Options = Parameters<typeof openGatewayHouse>[0]

export async function openAskingHouse(options: Options = {}, tools: readonly string[] = ['echo', 'other']) {
  const house = await openGatewayHouse(options)
  const upstream = startEchoUpstream(
    'modern',
    ({ id, params }) => json(answerText(id, saying(JSON.stringify(params?.['arguments'] ?? {})))),
    { tools },
  )
  const owner = house.admin
  const connection = await house.connection(owner, 'Echo', { settings: { url: upstream.url } })
  const profile = await house.profile(owner, 'Work', [connection], 'never')
  const ids = new Map((await house.house.connections.everything([connection])).map(({ name, id }) => [name, id]))
  const app = await house.app(owner, profile)
  const { approvals, grants } = house.house

  const permit = (tool: string, permission: 'allow' | 'ask' | 'refuse', of: App = app) =>
    grants.permit(of.user, of.grantId, ids.get(tool) as ToolId, permission)
  await permit('echo', 'ask')
  let made = 0
  const waiting = async (user: User = owner) => (await approvals.listForUser(user.id)).waiting
  return {
    ...house,
    rooms: house.house,
    upstream,
    owner,
    connectionId: connection,
    work: profile,
    app,
    /** Lets another app in, for another profile. */
    admit: house.app,
    toolId: (name: string) => ids.get(name) as ToolId,
    permit,
    /** Another app of the same user, for the same profile. */
    app2: () => house.app(owner, profile),
    deliver: (delivery: 'whole' | 'search') =>
      house.house.profiles.update(owner, profile.id, { title: 'Work', description: '', naming: 'never', delivery }),
    /** Arguments that no other test has. */
    fresh(): { account: string } {
      made += 1
      return { account: `a${made}` }
    },
    /** How many calls with them its server has had. */
    reached: ({ account }: { account: string }): number => upstream.calls.filter((text) => text.includes(`"${account}"`)).length,
    waiting,
    /** Nothing of one test is left for the next. */
    async settle(): Promise<void> {
      await permit('echo', 'allow')
      await eventually(async () => (await waiting()).length === 0)
      await permit('echo', 'ask')
    },
    /** The one that waits, as soon as it does. */
    async asked(user: User = owner): Promise<ApprovalId> {
      if (!(await eventually(async () => (await waiting(user)).length > 0))) throw new Error('nobody was asked')
      return (await waiting(user))[0]?.id as ApprovalId
    },
    decide: (id: ApprovalId, decision: 'once' | 'hour' | 'always' | 'refuse', by: User = owner) =>
      approvals.decide(by, id, decision, 'page'),
    /** What stands in the trail about approvals, the oldest first. */
    trail: async () => {
      const rows = await house.house.audit.list({ kind: 'admin', limit: 200 })
      return rows.filter(({ action }) => action.startsWith('approval.') || action === 'grant.permit').toReversed()
    },
    async close() {
      await house.close()
      await upstream.stop()
    },
  }
}
export type AskingHouse = Awaited<ReturnType<typeof openAskingHouse>>

const saying = (text: string) => ({ resultType: 'complete', content: [{ type: 'text', text }] })
