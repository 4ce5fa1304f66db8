/** Whatever was thrown on the way to a page, as an answer: the one place that does it. */
import { isHtmx, type Reply } from '@/http/reply.ts'
import { randomText } from '@/lib/crypto.ts'
import { Failure } from '@/lib/failure.ts'
import type { Log } from '@/lib/log.ts'
import { ErrorPage } from '@views/error.tsx'
import type { Shells } from './shell.ts'

type Deps = {
  reply: Pick<Reply, 'page' | 'to'>
  shell: Pick<Shells, 'assets'>
  log: Pick<Log, 'error'>
}
type Problem = { code: string; status: number; message?: string; requestId?: string; retryAfterSeconds?: number | undefined }

const REQUEST_ID_LENGTH = 12
const CAUSED_BY_UPSTREAM_OR_US = 500

const BAD: Problem = { code: 'bad_request', status: 400, message: 'The request could not be read.' }
const MISSING: Problem = { code: 'not_found', status: 404 }
const MISSHAPEN: Problem = { code: 'invalid_form', status: 422, message: 'Something in the form was not as expected.' }

/** Elysia's own words for what happened before a handler ran. */
const KNOWN: Record<string, Problem> = {
  NOT_FOUND: MISSING,
  PARSE: BAD,
  INVALID_COOKIE_SIGNATURE: BAD,
  INVALID_FILE_TYPE: MISSHAPEN,
  VALIDATION: MISSHAPEN,
}

// An id of the wrong shape and one that nothing has look alike, as do foreign ones.
const isMisspeltAddress = (error: unknown) => (error as { type?: unknown } | null)?.type === 'params'

export function createProblems({ reply, shell, log }: Deps) {
  const judge = (error: unknown, code: string | number): Problem => {
    if (error instanceof Failure) {
      const { status, message, retryAfterSeconds } = error
      if (status >= CAUSED_BY_UPSTREAM_OR_US) log.error(message, error, { code: error.code })
      return { code: error.code, status, message, retryAfterSeconds }
    }
    if (code === 'VALIDATION' && isMisspeltAddress(error)) return MISSING
    const known = KNOWN[String(code)]
    if (known) return known
    const requestId = randomText(REQUEST_ID_LENGTH)
    log.error('A request broke', error, { requestId })
    return { code: 'internal_error', status: 500, requestId }
  }

  /** For `app.onError`. `code` is Elysia's. */
  return (error: unknown, code: string | number, request: Request): Response => {
    const problem = judge(error, code)
    const { status, message, requestId, retryAfterSeconds } = problem
    const headers: Record<string, string> = retryAfterSeconds ? { 'retry-after': String(retryAfterSeconds) } : {}
    if (wantsJson(request)) return Response.json({ error: problem.code, message, requestId }, { status, headers })
    if (problem.code === 'not_signed_in' && request.method === 'GET' && !isHtmx(request))
      return reply.to(request, `/login?next=${encodeURIComponent(pathOf(request))}`)
    const page = <ErrorPage shell={{ assets: shell.assets }} status={status} message={message} requestId={requestId} />
    // The pages swap a 422 in (a refused form that draws itself). An error page is none: htmx hears another status.
    return reply.page(page, { status: isHtmx(request) && status === MISSHAPEN.status ? BAD.status : status, headers })
  }
}

/** Programs that take JSON and no page; browsers always take pages. */
function wantsJson(request: Request): boolean {
  const accept = request.headers.get('accept') ?? ''
  return accept.includes('application/json') && !accept.includes('text/html') && !isHtmx(request)
}

/** Without the base path: it was taken off at the front of the house, and the reply puts it on again. */
function pathOf(request: Request): string {
  const { pathname, search } = new URL(request.url)
  return pathname + search
}
