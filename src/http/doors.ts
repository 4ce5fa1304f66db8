/**
 * The only makers of web routes. Elysia hooks do not leak to routes that were registered earlier or elsewhere, so a guard
 * that is plugged in can silently guard nothing; a door cannot be opened without choosing its lock.
 */
import { Elysia } from 'elysia'
import { Failure } from '@/lib/failure.ts'
import type { Session, User } from '@/users'
import { readCookie } from './cookies.ts'
import { type Incoming, incomingOf } from './incoming.ts'

type Sessions = { read(secret: string | undefined): Promise<Session | undefined> }

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])
/** Forms are small; what is larger is no form of ours. */
const FORM_BYTES_MAX = 256 * 1024

/** A browser names where a request comes from; one that comes from elsewhere must not change anything here. */
function demandOwnOrigin(request: Request, { origin }: Incoming): void {
  if (SAFE_METHODS.has(request.method)) return
  const site = request.headers.get('sec-fetch-site') ?? 'same-origin'
  const from = request.headers.get('origin') ?? origin
  if (site !== 'same-origin' || from !== origin) throw new Failure('foreign_origin')
}

/** The pages send forms and nothing else: what another type would be parsed to costs far more to refuse than it costs to send. */
function demandForm(request: Request): void {
  const type = request.headers.get('content-type')
  if (type !== null && !/^(application\/x-www-form-urlencoded|multipart\/form-data)\b/i.test(type)) throw new Failure('bad_request')
}

function demandSmallBody(request: Request): void {
  demandForm(request)
  if (Number(request.headers.get('content-length') ?? 0) > FORM_BYTES_MAX) throw new Failure('too_large')
}

export function createDoors({ sessions }: { sessions: Sessions }) {
  const sessionOf = (request: Request, incoming: Incoming) => sessions.read(readCookie(request, incoming, 'session'))
  // `derive` runs before body validation: a stranger learns nothing about our schemas.
  return {
    /** Anybody. `session` is there when somebody is signed in. */
    open: <const P extends string>(prefix: P) =>
      new Elysia({ prefix }).derive(async ({ request }) => {
        const incoming = incomingOf(request)
        demandOwnOrigin(request, incoming)
        demandSmallBody(request)
        return { incoming, session: await sessionOf(request, incoming) }
      }),
    /** Signed-in users. */
    member: <const P extends string>(prefix: P) => new Elysia({ prefix }).derive(async ({ request }): Promise<Entered> => enter(request)),
    /** Signed-in administrators. */
    admin: <const P extends string>(prefix: P) =>
      new Elysia({ prefix }).derive(async ({ request }): Promise<Entered> => {
        const entered = await enter(request)
        if (entered.user.role !== 'admin') throw new Failure('administrators_only')
        return entered
      }),
  }

  async function enter(request: Request): Promise<Entered> {
    const incoming = incomingOf(request)
    const session = await sessionOf(request, incoming)
    if (!session) throw new Failure('not_signed_in')
    demandOwnOrigin(request, incoming)
    demandSmallBody(request)
    return { incoming, session, user: session.user }
  }
}

type Entered = { incoming: Incoming; session: Session; user: User }
export type Doors = ReturnType<typeof createDoors>
