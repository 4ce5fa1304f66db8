/** The audit trail as a whole: whether it is as it was written, how much is kept, where it goes. */
import { z } from 'zod'
import type { Audit, Forwarding } from '@/audit'
import { createQuietly, type Log } from '@/lib/log.ts'
import type { FormState } from '@views/parts/field.tsx'
import { type ForwarderRow, Proof, TrailPage } from '@views/trail.tsx'
import { TrailForwarderPage } from '@views/trail-forwarder.tsx'
import { callRowOf } from './call-rows.ts'
import { Field, REFUSED, refused } from './forms.ts'
import type { Page, Seen } from './needs.ts'

type Deps = Page & {
  log: Pick<Log, 'error'>
  audit: Pick<Audit, 'page' | 'find' | 'retention' | 'verifying' | 'numbers' | 'publicKey'>
  forwarding: Pick<Forwarding, 'list' | 'behind' | 'add' | 'pause' | 'resume' | 'remove' | 'test'>
}

const ACTS_SHOWN = 10
const BYTES_IN_MEGABYTE = 1_000_000

const One = { params: z.object({ id: z.string().regex(/^fwd_[0-9a-z]{1,40}$/) }) }
const PolicyForm = z.object({ days: Field.default(''), megabytes: Field.default('') })
const Kind = z.enum(['otlp', 'syslog', 'webhook'])
const ForwarderForm = z.object({
  kind: Kind,
  name: Field.default(''),
  from: z.enum(['now', 'beginning']).default('now'),
  url: Field.default(''),
  header: Field.default(''),
  secret: Field.default(''),
  host: Field.default(''),
  port: Field.default(''),
  logs: z.literal('on').optional(),
  traces: z.literal('on').optional(),
  secure: z.literal('on').optional(),
})
type ForwarderForm = z.infer<typeof ForwarderForm>

/** Empty is without end; what is no number is refused by the room, at its field. */
const numberOf = (text: string): number | null => (text.trim() === '' ? null : Number(text))

function targetOf({ kind, url, header, secret, host, port, ...ticked }: ForwarderForm): unknown {
  if (kind === 'otlp') return { kind, url, header, logs: ticked.logs === 'on', traces: ticked.traces === 'on' }
  return kind === 'webhook' ? { kind, url, secret } : { kind, host, port: Number(port), isSecure: ticked.secure === 'on' }
}

export const trailRoutes = (deps: Deps) => {
  const { doors, reply, shell, audit, forwarding, log } = deps
  /** It goes on when nobody waits for it. */
  const quietly = createQuietly(log)
  const page = (seen: Seen, form?: FormState) => pageOf(deps, seen, form)
  const said = ({ request, incoming }: Seen, text: string, tone: 'good' | 'bad' = 'good') =>
    reply.to(request, '/admin/trail', { cookies: [reply.notice(incoming, { tone, text })] })
  return doors
    .admin('/admin/trail')
    .get('/', async (seen) => reply.page(await page(seen), { cookies: shell.said(seen.request) }))
    .get('/proof', ({ request }) => reply.piece(request, <Proof proof={audit.verifying.latest()} />, '/admin/trail'))
    .post('/verify', ({ request, user }) => {
      quietly('verifying the trail', () => audit.verifying.start(user))
      return reply.to(request, '/admin/trail')
    })
    .post(
      '/policy',
      async ({ body: { days, megabytes }, ...seen }) => {
        try {
          await audit.retention.setPolicy(seen.user, { keepDays: numberOf(days), keepMegabytes: numberOf(megabytes) })
        } catch (error) {
          return reply.page(await page(seen, refused(error, { days, megabytes })), { status: REFUSED })
        }
        // What is too old or too much goes from now on, while the page is there already.
        quietly('removing what the trail no longer keeps', () => audit.retention.sweep(true))
        return said(seen, 'Saved.')
      },
      { body: PolicyForm },
    )
    .get(
      '/forwarders/new',
      ({ request, user, query: { kind } }) => reply.page(<TrailForwarderPage shell={shell.full(request, user)} kind={kind} />),
      { query: z.object({ kind: Kind.catch('otlp') }) },
    )
    .post(
      '/forwarders',
      async ({ body, ...seen }) => {
        try {
          await forwarding.add(seen.user, { name: body.name, target: targetOf(body), fromBeginning: body.from === 'beginning' })
        } catch (error) {
          const { secret: _, ...values } = body
          const form = refused(error, values as Record<string, string>)
          const again = <TrailForwarderPage shell={shell.full(seen.request, seen.user)} kind={body.kind} form={form} />
          return reply.page(again, { status: REFUSED })
        }
        return said(seen, 'Added. Records are on their way within seconds.')
      },
      { body: ForwarderForm },
    )
    .post(
      '/forwarders/:id/test',
      async ({ params: { id }, ...seen }) => {
        const problem = await forwarding.test(seen.user, id)
        return problem === undefined ? said(seen, 'The test was taken.') : said(seen, `The test was not taken. ${problem}`, 'bad')
      },
      One,
    )
    .post(
      '/forwarders/:id/pause',
      async ({ params: { id }, ...seen }) => (await forwarding.pause(seen.user, id), said(seen, 'Paused.')),
      One,
    )
    .post(
      '/forwarders/:id/resume',
      async ({ params: { id }, ...seen }) => (await forwarding.resume(seen.user, id), said(seen, 'It goes on.')),
      One,
    )
    .post(
      '/forwarders/:id/remove',
      async ({ params: { id }, ...seen }) => (await forwarding.remove(seen.user, id), said(seen, 'Removed.')),
      One,
    )
}

async function pageOf({ audit, forwarding, shell }: Deps, { request, user }: Seen, form: FormState | undefined) {
  const { retention, verifying, numbers, publicKey } = audit
  const [policy, [checkpoint], forwarders, { rows }, oldest] = await Promise.all([
    retention.policy(),
    retention.checkpoints(1),
    forwarding.list(),
    audit.page({ kind: 'admin', limit: ACTS_SHOWN }),
    audit.find(numbers.first()),
  ])
  const shown: ForwarderRow[] = forwarders.map(({ id, kind, name, host, problem, pausedAt, sentAt, seq }) => ({
    ...{ id, kind, name, host, paused: pausedAt !== null, behind: forwarding.behind(seq) },
    problem: problem ?? undefined,
    sentAt: sentAt ?? undefined,
  }))
  return (
    <TrailPage
      shell={shell.full(request, user)}
      size={{ rows: numbers.count(), megabytes: numbers.bytes() / BYTES_IN_MEGABYTE, since: oldest?.at }}
      policy={{ days: policy.keepDays ?? undefined, megabytes: policy.keepMegabytes ?? undefined }}
      checkpoint={checkpoint}
      publicKey={publicKey}
      proof={verifying.latest()}
      forwarders={shown}
      acts={rows.map((row) => callRowOf(row, user))}
      form={form}
    />
  )
}
