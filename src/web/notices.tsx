/** How a user is told away from the pages: forms of the settings page. */
import { z } from 'zod'
import type { Approvals } from '@/grants'
import type { Files } from '@/http/files.ts'
import type { Incoming } from '@/http/incoming.ts'
import { NoticeWayId } from '@/lib/ids.ts'
import type { AskedWay, Notices } from '@/notices'
import type { Session } from '@/users'
import { WebhookMadePage } from '@views/notices.tsx'
import { Field, REFUSED, Repeated, refused, repeated } from './forms.ts'
import type { Mounted, Page } from './needs.ts'
import { type SettingsDeps, settingsPage } from './settings.tsx'

type Deps = Page &
  Mounted &
  SettingsDeps & {
    notices: Pick<Notices, 'add' | 'change' | 'remove' | 'test'>
    approvals: Pick<Approvals, 'setInApp'>
    files: Pick<Files, 'current'>
  }
type Seen = { request: Request; incoming: Incoming; session: Session }

const Topic = z.enum(['approvals', 'changes', 'trouble', 'digest'])
const Common = { name: Field, topics: Repeated(Topic) }
const NtfyForm = z.object({ ...Common, server: Field.default(''), topic: Field, token: Field.default('') })
const WebhookForm = z.object({ ...Common, url: Field })
const PushForm = z.object({ ...Common, endpoint: Field, p256dh: Field, auth: Field })
const One = { params: z.object({ id: NoticeWayId }) }
const HERE = '/settings#notices'
/** What is ticked, for the form that is shown again. */
const textOf = (topics: string | string[] | undefined): string => repeated(topics).join(' ')

export const noticesRoutes = (deps: Deps) => {
  const { doors, reply, notices, approvals, addresses, shell, files } = deps
  const homeOf = ({ origin }: Incoming) => origin + addresses.base
  const back = ({ request, incoming }: Seen, tone: 'good' | 'bad', text: string, to = HERE) =>
    reply.to(request, to, { cookies: [reply.notice(incoming, { tone, text: text.slice(0, 280) })] })
  const again = async ({ request, session }: Seen, of: string, error: unknown, { token: _, ...values }: Record<string, string> = {}) =>
    reply.page(await settingsPage(deps, request, session, { notice: { of, form: refused(error, values) } }), { status: REFUSED })
  const tried = async (seen: Seen, id: NoticeWayId, name: string) => {
    const problem = await notices.test(seen.session.user, id)
    return problem === undefined ? back(seen, 'good', `A test went to ${name}.`) : back(seen, 'bad', problem)
  }
  const add = async (seen: Seen, asked: AskedWay) => {
    const { way, secret } = await notices.add(seen.session.user, asked)
    if (secret === undefined) return tried(seen, way.id, way.name)
    const { name, host } = way
    return reply.page(<WebhookMadePage shell={shell.full(seen.request, seen.session.user)} {...{ name, host, secret }} />)
  }
  return (
    doors
      .member('/settings')
      // A browser comes back for it by itself; signed out, it keeps the one that it has.
      .get('/notices/worker.js', () => files.current('push-worker.js'))
      .post(
        '/notices/ntfy',
        async ({ body: { topics, ...body }, ...seen }) => {
          const asked = { kind: 'ntfy' as const, ...body, topics: repeated(topics), home: homeOf(seen.incoming) }
          return add(seen, asked).catch((error) => again(seen, 'ntfy', error, { ...body, topics: textOf(topics) }))
        },
        { body: NtfyForm },
      )
      .post(
        '/notices/webhook',
        async ({ body: { topics, ...body }, ...seen }) => {
          const asked = { kind: 'webhook' as const, ...body, topics: repeated(topics), home: homeOf(seen.incoming) }
          return add(seen, asked).catch((error) => again(seen, 'webhook', error, { ...body, topics: textOf(topics) }))
        },
        { body: WebhookForm },
      )
      .post(
        '/notices/push',
        async ({ body: { topics, ...body }, ...seen }) => {
          const asked = { kind: 'push' as const, ...body, topics: repeated(topics), home: homeOf(seen.incoming) }
          return add(seen, asked).catch((error) => again(seen, 'push', error, { name: body.name, topics: textOf(topics) }))
        },
        { body: PushForm },
      )
      .post(
        '/notices/:id',
        async ({ body: { name, topics }, params: { id }, ...seen }) => {
          try {
            await notices.change(seen.user, id, { name, topics: repeated(topics) })
            return back(seen, 'good', 'Saved.')
          } catch (error) {
            return again(seen, id, error, { name, topics: textOf(topics) })
          }
        },
        { ...One, body: z.object(Common) },
      )
      .post('/notices/:id/test', ({ params: { id }, ...seen }) => tried(seen, id, 'it'), One)
      .post(
        '/notices/:id/remove',
        async ({ params: { id }, ...seen }) => {
          await notices.remove(seen.user, id)
          return back(seen, 'good', 'Removed. You are not told by it any more.')
        },
        One,
      )
      .post(
        '/approvals',
        async ({ body, ...seen }) => {
          await approvals.setInApp(seen.user, body.in_app)
          return back(seen, 'good', 'Saved.', '/settings#asking')
        },
        { body: z.object({ in_app: z.enum(['never', 'not-destructive', 'always']) }) },
      )
  )
}
