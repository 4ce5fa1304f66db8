/** What a person is told away from the pages, beside what waits for their word: changed tools, sign-ins that fail. */
import type { Connections } from '@/connections'
import { type Clock, HOUR_MS } from '@/lib/clock.ts'
import type { ConnectionId, ProfileId, UserId } from '@/lib/ids.ts'
import type { Notices } from '@/notices'
import type { Profiles } from '@/profiles'

type Deps = {
  notices: Pick<Notices, 'tell'>
  profiles: Pick<Profiles, 'findView'>
  connections: Pick<Connections, 'find'>
  clock: Clock
}

const TOLD_KEPT_MAX = 5_000
/** A sign-in that fails is tried again and again, and told of now and then. */
const TROUBLE_EVERY_MS = 12 * HOUR_MS

export function createTelling({ notices, profiles, connections, clock }: Deps) {
  const told = new Map<string, number>()
  /** True the first time, and again after `everyMs`. */
  const isNews = (key: string, everyMs = Number.POSITIVE_INFINITY): boolean => {
    const at = told.get(key)
    if (at !== undefined && clock() - at < everyMs) return false
    told.delete(key)
    if (told.size >= TOLD_KEPT_MAX) told.delete(told.keys().next().value as string)
    told.set(key, clock())
    return true
  }
  return {
    /** Tools that are held back in these profiles since their server describes them otherwise: their owner has to look. */
    async toolsChanged(connectionId: ConnectionId, profileIds: readonly ProfileId[]): Promise<void> {
      for (const id of profileIds) {
        const view = await profiles.findView(id)
        if (!view) continue
        const { profile, heldBack } = view
        const changed = heldBack.filter((tool) => tool.connectionId === connectionId && isNews(`changed ${id} ${tool.toolId} ${tool.hash}`))
        const [first] = changed
        if (!first) continue
        const what = changed.length === 1 ? first.exposedName : `${changed.length} tools`
        notices.tell(profile.ownerId, 'changes', {
          title: `${first.connectionName} changed ${what}`,
          text: `Apps go without in the profile ${profile.title} until you have looked and accepted the change.`,
          path: `/profiles/${id}`,
        })
      }
    },
    async credentialFailing(connectionId: ConnectionId, userId: UserId): Promise<void> {
      const connection = await connections.find(connectionId)
      if (!connection || !isNews(`failing ${connectionId} ${userId}`, TROUBLE_EVERY_MS)) return
      notices.tell(userId, 'trouble', {
        title: `${connection.name} needs you to sign in again`,
        text: 'Its sign-in could not be renewed. Its tools fail until you have signed in.',
        path: `/connections/${connectionId}`,
      })
    },
  }
}
export type Telling = ReturnType<typeof createTelling>
