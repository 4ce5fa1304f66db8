/** Authorization requests on their way: judged, kept for the user who is signed in, decided once. */
import { and, eq, gt, isNull } from 'drizzle-orm'
import { type Client, OAuthProblem, redirectKind } from '@/clients'
import type { TraceNote } from '@/audit'
import { MINUTE_MS } from '@/lib/clock.ts'
import { randomSecret, sha256 } from '@/lib/crypto.ts'
import { Failure } from '@/lib/failure.ts'
import { authorizationRequests } from '@/store'
import type { Session } from '@/users'
import { judge, type Problem, type Verdict } from './authorize.ts'
import { type Decided, type Decision, decideWithin, demandAdmitted, readAllowed, type Ways } from './deciding.ts'
import type { Deps } from './needs.ts'
import { parametersOf } from './parameters.ts'
import { type Asked, askerOf, CHOSEN_PROFILE, type Kept, likenessOf, type Pending, pendingOf } from './pending.ts'
import { type House, issuerOf } from './places.ts'

const REQUEST_MS = 10 * MINUTE_MS

type Begun =
  | Exclude<Verdict, { kind: 'ask-the-user' }>
  /** The error stays with us, wherever the request would have it sent. */
  | { kind: 'hold-back'; problem: Problem }
  | { kind: 'sign-in' }
  | { kind: 'ask-the-user'; secret: string }
type From = Pick<TraceNote, 'address' | 'origin'>

export function createRequests(deps: Deps, ways: Ways) {
  return { ...createBeginning(deps, ways), ...createAnswering(deps, ways) }
}

function createBeginning(deps: Deps, { pushed, devices }: Ways) {
  const { store, clients, trace, clock } = deps
  const keep = async (asked: Asked, client: Client, session: Session): Promise<string> => {
    const secret = randomSecret()
    const now = clock()
    const params: Kept = { ...asked, client: likenessOf(client) }
    const row = { hash: sha256(secret), clientId: client.id, userId: session.user.id, sessionHash: session.hash, params }
    await store.transact(async (tx) => {
      await tx.insert(authorizationRequests).values({ ...row, createdAt: now, expiresAt: now + REQUEST_MS })
    })
    return secret
  }
  const refuse = (from: From, problem: Problem, client?: Client): Problem => {
    const who = client && { clientId: client.id, clientName: client.name }
    trace.note({
      step: 'authorize',
      outcome: 'refused',
      reason: problem.error,
      ...from,
      ...who,
      detail: { says: problem.error_description },
    })
    return problem
  }
  const noteAsked = async (from: From, client: Client, session: Session | undefined, profileName: string | undefined): Promise<void> => {
    const who = { clientId: client.id, clientName: client.name, ...(profileName !== undefined && { profileName }) }
    if (!session) return trace.note({ step: 'sign-in', outcome: 'waiting', ...from, ...who })
    const waits = (await clients.admission(client)) !== 'admitted'
    const outcome = waits ? { outcome: 'waiting' as const, reason: 'client_waits' } : { outcome: 'ok' as const }
    trace.note({ step: 'authorize', ...outcome, ...from, ...who, userId: session.user.id })
  }

  return {
    /** @param query as it was sent, undecoded by any framework @param address who sent it: fetching on their behalf is limited */
    async begin(query: URLSearchParams, house: House, session: Session | undefined, address: string): Promise<Begun> {
      const from = { address, origin: house.origin }
      const sent = await pushed.expand(query)
      if ('problem' in sent) return { kind: 'show', problem: refuse(from, sent.problem) }
      const asked = parametersOf(sent.query)
      const client = await resolved(clients, asked.get('client_id') ?? '', address)
      if (client && 'error' in client) return { kind: 'show', problem: refuse(from, client) }
      const verdict = await held(clients, judge(asked, client, house, session !== undefined), client)
      if (verdict.kind !== 'ask-the-user') {
        refuse(from, verdict.problem, client)
        return verdict
      }
      const { redirectUri, state, challenge, scope, resource } = verdict.request
      await noteAsked(from, client as Client, session, resource.profileName)
      if (!session) return { kind: 'sign-in' }
      const chosen = parametersOf(query).get(CHOSEN_PROFILE)
      const kept: Asked = {
        ...{ redirect_uri: redirectUri, challenge, scope, resource: resource.address, issuer: issuerOf(house), query: String(query) },
        ...(state !== undefined && { state }),
        ...(resource.profileName !== undefined && { profile_name: resource.profileName }),
        ...(chosen !== undefined && { chosen }),
        ...(sent.requestUri !== undefined && { pushed: sent.requestUri }),
      }
      return { kind: 'ask-the-user', secret: await keep(kept, client as Client, session) }
    },

    /**
     * By the code that a device shows (RFC 8628 §3.3). @returns the secret of a request like any other
     * @throws Failure `user_code_unknown`, `slow_down`, `client_blocked`
     */
    async beginDevice(userCode: string, house: House, session: Session, address: string): Promise<string> {
      const device = await devices.findByUserCode(userCode, { userId: session.user.id, address })
      const client = await clients.findById(device.clientId)
      if (!client) throw new Failure('user_code_unknown')
      if (client.blockedAt !== null) throw new Failure('client_blocked')
      await noteAsked({ address, origin: house.origin }, client, session, device.profileName ?? undefined)
      const kept: Asked = {
        ...{ device: device.hash, address: device.address, started: String(device.createdAt) },
        ...{ scope: device.scope, resource: device.resource, issuer: device.issuer },
        ...(device.profileName !== null && { profile_name: device.profileName }),
      }
      return keep(kept, client, session)
    },
  }
}

/**
 * Anybody may register, and be linked to: where the house admits clients one by one, those that wait send nobody to a site of
 * theirs, also not with an error (RFC 9700 §4.11.2).
 */
async function held(clients: Deps['clients'], verdict: Verdict, client: Client | undefined) {
  if (verdict.kind !== 'send-back' || redirectKind(verdict.to) !== 'web') return verdict
  const isAdmitted = client !== undefined && (await clients.admission(client)) === 'admitted'
  return isAdmitted ? verdict : { kind: 'hold-back' as const, problem: verdict.problem }
}

/** What is wrong with a metadata document is told to whoever looks at the page. */
async function resolved(clients: Deps['clients'], identifier: string, address: string): Promise<Client | Problem | undefined> {
  try {
    return await clients.resolve(identifier, address)
  } catch (error) {
    if (!(error instanceof OAuthProblem)) throw error
    return { error: error.error, error_description: error.description }
  }
}

function createAnswering(deps: Deps, ways: Ways) {
  const { store, clients, grants, trace, clock } = deps
  const isWaiting = (secret: string, session: Session) =>
    and(
      eq(authorizationRequests.hash, sha256(secret)),
      eq(authorizationRequests.userId, session.user.id),
      eq(authorizationRequests.sessionHash, session.hash),
      isNull(authorizationRequests.decidedAt),
      gt(authorizationRequests.expiresAt, clock()),
    )
  const pending = async (secret: string, session: Session): Promise<Pending | undefined> => {
    const [row] = await store.read.select().from(authorizationRequests).where(isWaiting(secret, session))
    return row && pendingOf(deps, row, session)
  }
  const demand = async (secret: string, session: Session): Promise<Pending> => {
    const waiting = await pending(secret, session)
    if (!waiting) throw new Failure('not_found')
    return waiting
  }

  return {
    /** For the same user in the same browser session, until decided or ten minutes old. */
    pending,

    /** Where the app left the profile to its user: the one to look at next. @throws Failure `not_found`, `profile_not_found` */
    async choose(secret: string, session: Session, profileName: string): Promise<void> {
      const waiting = await demand(secret, session)
      if (waiting.profileName !== undefined || !waiting.choices.some(({ name }) => name === profileName))
        throw new Failure('profile_not_found')
      await store.transact(async (tx) => {
        const [row] = await tx.select().from(authorizationRequests).where(isWaiting(secret, session))
        if (!row) throw new Failure('not_found')
        await tx
          .update(authorizationRequests)
          .set({ params: { ...row.params, chosen: profileName } })
          .where(isWaiting(secret, session))
      })
    },

    /** An administrator admits the app that asks, for everybody. @throws Failure `administrators_only`, `not_found` */
    async approve(secret: string, session: Session): Promise<void> {
      if (session.user.role !== 'admin') throw new Failure('administrators_only')
      const { client } = await demand(secret, session)
      await clients.approve(session.user, client.id)
    },

    /**
     * The user's word, once.
     * @throws Failure `invalid_form`, `client_waits` or `client_not_listed`, or `not_found` when the request is gone, decided, or another's
     */
    async decide(secret: string, session: Session, said: Decision, from: From): Promise<Decided> {
      const waiting = await demand(secret, session)
      const allowed = said.decision === 'allow' ? readAllowed(waiting, said, clock()) : undefined
      if (!allowed && said.decision !== 'deny') throw new Failure('bad_request')
      const decided = await store.transact(async (tx) => {
        // One statement decides who decides: of two posts the second finds nothing.
        const [row] = await tx.update(authorizationRequests).set({ decidedAt: clock() }).where(isWaiting(secret, session)).returning()
        if (!row) throw new Failure('not_found')
        // It may have changed until this came to its turn; nothing else is written now.
        const client = await askerOf(deps, row)
        if (!client) throw new Failure('not_found')
        if (allowed) demandAdmitted(await clients.admission(client))
        return decideWithin(deps, ways, tx, { kept: row.params as Kept, waiting, allowed, session, address: from.address })
      })
      for (const id of allowed?.replaced ?? []) grants.announceEnded(id)
      const { client, profileName } = waiting
      const who = {
        clientId: client.id,
        clientName: client.name,
        userId: session.user.id,
        ...(profileName !== undefined && { profileName }),
      }
      trace.note({ step: 'consent', ...(allowed ? { outcome: 'ok' } : { outcome: 'refused', reason: 'access_denied' }), ...from, ...who })
      return decided
    },
  }
}
