/** What an account is called, from an answer that was asked for with its token. */
import type { JsonObject, OutboundInit } from '@/plugins/api.ts'

type Ask = (url: string, init?: OutboundInit) => Promise<Response>

/** @throws when the answer is none, which leaves the account without a name and nothing else */
export async function askFor(ask: Ask, url: string, accessToken: string, init: OutboundInit = {}): Promise<JsonObject> {
  const headers = { accept: 'application/json', ...init.headers, authorization: `Bearer ${accessToken}` }
  const answer = await ask(url, { ...init, headers })
  if (!answer.ok) throw new Error(`It answered ${answer.status}.`)
  return (await answer.json()) as JsonObject
}

/** The first of these that is a text. */
export function firstText(answer: JsonObject, names: readonly string[]): string {
  const found = names.map((name) => answer[name]).find((value) => typeof value === 'string' && value !== '')
  return typeof found === 'string' ? found : ''
}
