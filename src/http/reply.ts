/** Answers of the pages: a whole page, a piece of one, or the way back. */
import type { Html } from '@views/jsx-runtime'
import { cookieHeader } from './cookies.ts'
import type { Incoming } from './incoming.ts'

const POLICY = ["default-src 'self'", "img-src 'self' data:", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"]
// Chromium applies form-action to the redirect that follows a form: on the consent page it would block the way back to the client.
const CONTENT_SECURITY_POLICY = [...POLICY, "form-action 'self'"].join('; ')
const CONSENT_SECURITY_POLICY = POLICY.join('; ')

export const SECURITY_HEADERS: Record<string, string> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // Not `no-referrer`: browsers would then send `Origin: null` with our own forms.
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin-allow-popups',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
}
const HTML = { ...SECURITY_HEADERS, 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store', vary: 'HX-Request' }

export type Notice = { tone: 'good' | 'bad'; text: string }
type Extra = { status?: number; cookies?: readonly string[]; headers?: Record<string, string> }
export type Reply = ReturnType<typeof createReply>

export const isHtmx = (request: Request): boolean => request.headers.has('hx-request')

function respond(
  body: string | null,
  status: number,
  headers: Record<string, string>,
  { cookies = [], headers: more = {} }: Extra,
): Response {
  const response = new Response(body, { status, headers: { ...headers, ...more } })
  for (const cookie of cookies) response.headers.append('set-cookie', cookie)
  return response
}

const NOTICE_SECONDS = 30

export function createReply({ base }: { base: string }) {
  const see = (path: string, extra: Extra = {}) =>
    respond(null, 303, { ...SECURITY_HEADERS, location: base + path, 'cache-control': 'no-store' }, extra)
  return {
    page: (html: Html, extra: Extra = {}) =>
      respond(
        `<!doctype html>${html.text(base)}`,
        extra.status ?? 200,
        { ...HTML, 'content-security-policy': CONTENT_SECURITY_POLICY },
        extra,
      ),
    consentPage: (html: Html, extra: Extra = {}) =>
      respond(
        `<!doctype html>${html.text(base)}`,
        extra.status ?? 200,
        { ...HTML, 'content-security-policy': CONSENT_SECURITY_POLICY },
        extra,
      ),
    /** htmx gets the changed piece; a plain browser is sent back to the page that contains it. */
    piece: (request: Request, html: Html, page: string, extra: Extra = {}) =>
      isHtmx(request) ? respond(html.text(base), extra.status ?? 200, HTML, extra) : see(page, extra),
    /** What was asked for stands on the page as it is: htmx swaps nothing. */
    nothingNew: () => respond(null, 204, { ...SECURITY_HEADERS, 'cache-control': 'no-store' }, {}),
    /** To another page of ours; htmx is told to go there as well, not to swap it in. */
    to: (request: Request, path: string, extra: Extra = {}) =>
      isHtmx(request) ? respond(null, 200, { ...HTML, 'hx-redirect': base + path }, extra) : see(path, extra),
    /** What the next page says once: a toast that survives the redirect. Carried as base64url JSON, shown as text. */
    notice: (incoming: Incoming, notice: Notice) =>
      cookieHeader(incoming, 'notice', Buffer.from(JSON.stringify(notice)).toString('base64url'), NOTICE_SECONDS),
  }
}
