import type { GuardedFetch } from './discovery.ts'
import type { TokenSet } from './tokens.ts'

/** RFC 7009, as a courtesy: what was signed out here is over here whatever the other side makes of it. Never rejects. */
export async function revokeAt({ metadata, client, refreshToken, accessToken }: TokenSet, ask: GuardedFetch): Promise<boolean> {
  const endpoint = (metadata as Record<string, unknown>)['revocation_endpoint']
  if (typeof endpoint !== 'string') return false
  const body = new URLSearchParams({ token: refreshToken ?? accessToken, client_id: client.client_id })
  if (refreshToken) body.set('token_type_hint', 'refresh_token')
  if (client.client_secret) body.set('client_secret', client.client_secret)
  const answer = await ask(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: String(body),
  }).catch(() => undefined)
  void answer?.body?.cancel()
  return answer?.ok === true
}
