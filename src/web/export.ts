/** Rows of the trail to take away, found by the filters of the activity page: as CSV for a spreadsheet, as lines of JSON for a program. */
import { z } from 'zod'
import { type Audit, type AuditRow, fieldsOf, type KeptContents, mayRead } from '@/audit'
import { SECURITY_HEADERS } from '@/http/reply.ts'
import type { User } from '@/users'
import { ActivityQuery, FILTERS, filterOf } from './activity-filter.ts'
import type { Clock, Page } from './needs.ts'

type Deps = Pick<Page, 'doors'> & { audit: Pick<Audit, 'page' | 'contentsOf' | 'report' | 'following' | 'publicKey'>; clock: Clock }

const Query = ActivityQuery.extend({
  format: z.enum(['csv', 'jsonl']).catch('csv'),
  contents: z.enum(['on']).optional().catch(undefined),
})
type Query = z.infer<typeof Query>

const PAGE_ROWS = 200
const CONTENT_TYPES = { csv: 'text/csv; charset=utf-8; header=present', jsonl: 'application/x-ndjson; charset=utf-8' } as const

const COLUMNS = [
  ...(['seq', 'time', 'kind', 'action', 'outcome', 'reason', 'userId', 'userName', 'clientId', 'clientName', 'grantId'] as const),
  ...(['profileId', 'profileName', 'connectionId', 'connectionName', 'toolId', 'subject', 'purpose', 'traceId', 'address'] as const),
  ...(['requestBytes', 'responseBytes', 'durationUs', 'upstreamUs', 'detail', 'chain'] as const),
]
const CONTENTS = ['arguments', 'result'] as const

/** A spreadsheet runs what begins like a formula, also behind a tab or a line break. Numbers of ours begin with none of these. */
const FORMULA = /^[\s\uFEFF]*[=+\-@|%＝＋－＠]|^[\t\r\n]/
export function cellOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'number') return String(value)
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const safe = FORMULA.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
const lineOf = (cells: readonly string[]) => `${cells.join(',')}\r\n`

type Line = { row: AuditRow; contents: KeptContents | undefined }
const WRITERS = {
  csv: {
    head: (withContents: boolean) => lineOf([...COLUMNS, ...(withContents ? CONTENTS : [])]),
    line: ({ row, contents }: Line, withContents: boolean) => {
      const fields = fieldsOf(row)
      const cells = COLUMNS.map((name) => cellOf(fields[name]))
      return lineOf(withContents ? [...cells, ...CONTENTS.map((name) => cellOf(contents?.[name]))] : cells)
    },
  },
  jsonl: {
    head: () => '',
    line: ({ row, contents }: Line) => `${JSON.stringify({ ...fieldsOf(row), ...contents })}\n`,
  },
} as const

export const exportRoutes = ({ doors, audit, clock }: Deps) => {
  /** The newest first, a page at a time, each when the one before it has been taken. */
  async function* linesOf(user: User, query: Query): AsyncGenerator<string> {
    const { head, line } = WRITERS[query.format]
    const withContents = query.contents === 'on'
    yield head(withContents)
    const filter = filterOf(user, query, clock())
    for (let before: number | undefined; ; ) {
      const { rows, isMore, searchedTo } = await audit.page({ ...filter, before, limit: PAGE_ROWS })
      const lines: string[] = []
      for (const row of rows) {
        const contents = withContents && mayRead(row, user) === 'all' ? await audit.contentsOf(row.seq) : undefined
        lines.push(line({ row, contents }, withContents))
      }
      yield lines.join('')
      const last = rows.at(-1)?.seq
      if (searchedTo === undefined && (!isMore || last === undefined)) return
      before = Math.min(last ?? Number.MAX_SAFE_INTEGER, searchedTo ?? Number.MAX_SAFE_INTEGER)
    }
  }
  return doors.member('/activity').get(
    '/export',
    async ({ user, query, incoming }) => {
      const { format, contents } = query
      await audit.following.catchUp()
      // What the filters find now; the row of this export comes after them.
      const filters = Object.fromEntries(FILTERS.flatMap((name) => (query[name] === undefined ? [] : [[name, query[name]]])))
      const detail = { format, ...(contents && { contents: 'own calls' }), ...(Object.keys(filters).length > 0 && { filters }) }
      const by = { userId: user.id, userName: user.username, address: incoming.address }
      await audit.report({ kind: 'admin', action: 'audit.export', outcome: 'ok', ...by, detail })
      const stamp = new Date(clock()).toISOString().slice(0, 10)
      return new Response(streamOf(linesOf(user, query)), {
        headers: {
          ...SECURITY_HEADERS,
          'content-type': CONTENT_TYPES[format],
          'content-disposition': `attachment; filename="toolpass-activity-${stamp}.${format}"`,
          'cache-control': 'no-store',
          // With it the checkpoints of the trail can be checked elsewhere.
          'toolpass-audit-key': audit.publicKey.replace(/-----[A-Z ]+-----|\s/g, ''),
        },
      })
    },
    { query: Query },
  )
}

/** Nothing is read before there is room for it, and nothing more once nobody wants it. */
function streamOf(lines: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await lines.next()
        if (done) controller.close()
        // An empty piece would not be asked for again.
        else if (value === '') return this.pull?.(controller)
        else controller.enqueue(encoder.encode(value))
      },
      cancel: async () => void (await lines.return(undefined)),
    },
    { highWaterMark: 1 },
  )
}
