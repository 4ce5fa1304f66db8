/** Where a person types the code that a device shows (RFC 8628 §3.3). A link may bring the code along, but never sends it. */
import { DeviceCodePage, DeviceDonePage } from '@views/device.tsx'
import type { FormState } from '@views/parts/field.tsx'
import { Failure } from '@/lib/failure.ts'
import { readForm } from '@/oauth'
import type { Session } from '@/users'
import { consent, type Parts } from './consent-show.tsx'

const CODE_LENGTH_MAX = 40

const toLogin = ({ reply }: Parts, request: Request, userCode: string) => {
  const next = `/device${userCode && `?${new URLSearchParams({ user_code: userCode })}`}`
  return reply.to(request, `/login?next=${encodeURIComponent(next)}`)
}

type Asked = { request: Request; session: Session; userCode: string; form?: FormState | undefined }
const codePage = ({ shell }: Parts, { request, session, userCode, form }: Asked) => (
  <DeviceCodePage shell={shell.bare(request)} username={session.user.username} userCode={userCode} form={form} />
)

export const deviceRoutes = (parts: Parts) =>
  parts.doors
    .open('/device')
    .get('/', ({ request, session }) => {
      const userCode = (new URL(request.url).searchParams.get('user_code') ?? '').slice(0, CODE_LENGTH_MAX)
      return session ? parts.reply.page(codePage(parts, { request, session, userCode })) : toLogin(parts, request, userCode)
    })
    .get('/done', ({ request, session }) => {
      if (!session) return toLogin(parts, request, '')
      const allowed = !new URL(request.url).searchParams.has('denied')
      return parts.reply.page(<DeviceDonePage shell={parts.shell.bare(request)} allowed={allowed} />)
    })
    .post(
      '/',
      async ({ request, incoming, session }) => {
        if (!session) return toLogin(parts, request, '')
        const userCode = ((await readForm(request)).get('user_code') ?? '').slice(0, CODE_LENGTH_MAX)
        try {
          const house = { origin: incoming.origin, base: parts.addresses.base }
          const secret = await parts.oauth.beginDevice(userCode, house, session, incoming.address)
          return await consent(parts, { request, incoming, session, secret })
        } catch (error) {
          const refused = ['user_code_unknown', 'slow_down', 'client_blocked']
          if (!(error instanceof Failure) || !refused.includes(error.code)) throw error
          const { status, retryAfterSeconds, message } = error
          const form = { values: { user_code: userCode }, errors: { user_code: message } }
          const headers: Record<string, string> = retryAfterSeconds ? { 'retry-after': String(retryAfterSeconds) } : {}
          return parts.reply.page(codePage(parts, { request, session, userCode, form }), { status, headers })
        }
      },
      { parse: 'none' },
    )
