import { z } from 'zod'
import type { User } from '@/users'
import { ActivityPage, ActivityRows } from '@views/activity.tsx'
import { type ChoiceDeps, chipsOf, choicesOf } from './activity-choices.ts'
import { ActivityQuery, addressOf, filterOf, isFiltered } from './activity-filter.ts'
import { callRowOf } from './call-rows.ts'
import type { Audit, Page } from './needs.ts'

type Deps = Page & ChoiceDeps & { audit: Pick<Audit, 'page' | 'find' | 'lastSeq' | 'following'> }

const ROWS_SHOWN_MAX = 50

const Seq = z.coerce.number().int().positive().optional().catch(undefined)
const Query = ActivityQuery.extend({
  before: Seq,
  after: Seq,
  live: z.enum(['off']).optional().catch(undefined),
})
type Query = z.infer<typeof Query>
const Rows = Query.extend({ since: Seq })

/** New rows come in at the top of the newest page; nothing else changes. */
const isNewest = ({ before, after }: Query) => before === undefined && after === undefined

export const activityRoutes = (deps: Deps) => {
  const { doors, reply, shell, audit, clock } = deps

  const read = async (user: User, query: Query) => {
    // Before the rows are read: what comes in between is asked for again, not missed.
    const since = audit.lastSeq()
    await audit.following.catchUp()
    const { before, after, live } = query
    const page = await audit.page({ ...filterOf(user, query, clock()), before, after, limit: ROWS_SHOWN_MAX })
    const { rows, isMore, searchedTo } = page
    const to = (more: Record<string, string | number | undefined>) => addressOf('/activity', query, { ...more, live })
    const [first, last] = [rows[0]?.seq, rows.at(-1)?.seq]
    const isForward = after !== undefined && before === undefined
    const hasOlder = isForward ? last !== undefined : isMore && searchedTo === undefined
    const hasNewer = isForward ? isMore : before !== undefined
    return {
      pieces: {
        calls: rows.map((row) => callRowOf(row, user)),
        filtered: isFiltered(query),
        renewHref: isNewest(query) && live === undefined ? addressOf('/activity/rows', query, { since }) : undefined,
        lookedBack:
          searchedTo === undefined ? undefined : { to: (await audit.find(searchedTo))?.at ?? clock(), href: to({ before: searchedTo }) },
      },
      links: {
        newestHref: isNewest(query) ? undefined : to({}),
        newerHref: hasNewer && first !== undefined ? to({ after: first }) : undefined,
        olderHref: hasOlder && last !== undefined ? to({ before: last }) : undefined,
      },
    }
  }
  /**
   * Asked every two seconds by each page that is open: where no row was written nothing is read, and where none of those that were fits the
   * filters nothing is drawn. Words are looked for only among those that fit otherwise, since that costs more than the rest.
   */
  const isNews = async (user: User, query: Query, since: number): Promise<boolean> => {
    if (since === audit.lastSeq()) return false
    const filter = { ...filterOf(user, query, clock()), text: undefined }
    return (await audit.page({ ...filter, after: since, limit: 1 })).rows.length > 0
  }
  return doors
    .member('/activity')
    .get(
      '/',
      async ({ request, user, query }) => {
        const [{ pieces, links }, choices] = await Promise.all([read(user, query), choicesOf(deps, user, query)])
        const { live, before: _, after: __, ...filter } = query
        const page = (
          <ActivityPage
            {...pieces}
            {...links}
            shell={shell.full(request, user)}
            filter={filter}
            choices={choices}
            chips={chipsOf(filter, choices, live)}
            exports={exportsOf(filter)}
            live={
              isNewest(query)
                ? { isOn: live === undefined, href: addressOf('/activity', filter, { live: live ? undefined : 'off' }) }
                : undefined
            }
          />
        )
        return reply.page(page, { cookies: shell.said(request) })
      },
      { query: Query },
    )
    .get(
      '/rows',
      async ({ request, user, query: { since, ...query } }) => {
        if (since !== undefined && !(await isNews(user, query, since))) return reply.nothingNew()
        const { pieces } = await read(user, query)
        return reply.piece(request, <ActivityRows {...pieces} />, addressOf('/activity', query))
      },
      { query: Rows },
    )
}

const exportsOf = (filter: ActivityQuery) => [
  { label: 'CSV', href: addressOf('/activity/export', filter, { format: 'csv' }) },
  { label: 'JSON lines', href: addressOf('/activity/export', filter, { format: 'jsonl' }) },
  { label: 'with what was in your own calls', href: addressOf('/activity/export', filter, { format: 'jsonl', contents: 'on' }) },
]
