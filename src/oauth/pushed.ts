/** Requests that a client hands over before it sends its user (RFC 9126). */
import { and, eq, gt, isNull } from 'drizzle-orm'
import { createTurnstile, OAuthProblem } from '@/clients'
import { MINUTE_MS, SECOND_MS } from '@/lib/clock.ts'
import { randomSecret, sha256 } from '@/lib/crypto.ts'
import { pushedRequests, type Writer } from '@/store'
import { judge, type Problem } from './authorize.ts'
import { type Asking, noted } from './asking.ts'
import { AUTHENTICATING, type Authenticate } from './client-auth.ts'
import type { Deps } from './needs.ts'
import { parametersOf } from './parameters.ts'

/** Time to sign in first, as for a request that is not pushed. */
const PUSHED_MS = 10 * MINUTE_MS
const LENGTH_MAX = 16 * 1024
const PUSHES_MAX = 1_000
const PREFIX = 'urn:ietf:params:oauth:request_uri:'

const problem = (error: string, error_description: string): { problem: Problem } => ({ problem: { error, error_description } })

export function createPushed({ store, clock, trace }: Deps, authenticate: Authenticate) {
  const pass = createTurnstile('pushed requests', PUSHES_MAX, PUSHED_MS)
  const find = async (requestUri: string) => {
    const isGood = and(eq(pushedRequests.hash, sha256(requestUri)), gt(pushedRequests.expiresAt, clock()), isNull(pushedRequests.usedAt))
    return (await store.read.select().from(pushedRequests).where(isGood))[0]
  }
  return {
    /** @throws OAuthProblem whatever the authorization endpoint would say, and `invalid_client` */
    push: (asking: Asking): Promise<{ request_uri: string; expires_in: number }> =>
      noted(trace, 'push', asking, async (seen) => {
        const { form, house, address } = asking
        const asked = parametersOf(form)
        const client = await authenticate(asking, asked)
        seen(client)
        if (asked.get('request_uri')) throw new OAuthProblem('invalid_request', 'request_uri cannot be pushed')
        // Signed in or not is the browser's matter; here only what the client says is judged.
        const verdict = judge(asked, client, house, true)
        if (verdict.kind !== 'ask-the-user' && verdict.problem.error !== 'consent_required')
          throw new OAuthProblem(verdict.problem.error, verdict.problem.error_description)
        const params = Object.fromEntries([...form].filter(([name]) => !AUTHENTICATING.has(name)))
        if (JSON.stringify(params).length > LENGTH_MAX) throw new OAuthProblem('invalid_request', 'the request is too large', 413)
        await pass(address)
        const requestUri = PREFIX + randomSecret()
        const row = { hash: sha256(requestUri), clientId: client.id, params: { ...params, client_id: client.identifier } }
        await store.transact((tx) => tx.insert(pushedRequests).values({ ...row, expiresAt: clock() + PUSHED_MS }))
        return { request_uri: requestUri, expires_in: PUSHED_MS / SECOND_MS }
      }),
    /** What the browser brought, with a pushed request in place of its name. Nothing beside the two is looked at (RFC 9126 §4). */
    async expand(query: URLSearchParams): Promise<{ query: URLSearchParams; requestUri?: string } | { problem: Problem }> {
      const sent = parametersOf(query)
      const requestUri = sent.get('request_uri')
      if (!requestUri?.startsWith(PREFIX)) return { query }
      if (sent.doubled.has('request_uri') || sent.doubled.has('client_id')) return problem('invalid_request', 'a parameter came twice')
      const row = await find(requestUri)
      if (!row || row.params['client_id'] !== sent.get('client_id'))
        return problem('invalid_request_uri', 'the request_uri is unknown, was used, has expired, or is of another client')
      return { query: new URLSearchParams(row.params), requestUri }
    },
    /** Good for one decision. False when that was taken already. */
    async useWithin(tx: Writer, requestUri: string): Promise<boolean> {
      const isUnused = and(eq(pushedRequests.hash, sha256(requestUri)), isNull(pushedRequests.usedAt))
      return (await tx.update(pushedRequests).set({ usedAt: clock() }).where(isUnused).returning()).length === 1
    },
  }
}
