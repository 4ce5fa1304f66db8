/**
 * The talk with a modern client about one request, when a legacy upstream asks for something in its midst. Such a client is not asked:
 * its request is answered with what is needed (`input_required`), it comes back with another request, and meanwhile the upstream waits
 * here (2026-07-28, "Multi round-trip requests").
 */
import { MINUTE_MS } from '@/lib/clock.ts'
import { randomSecret } from '@/lib/crypto.ts'
import { Failure } from '@/lib/failure.ts'
import type { GrantId } from '@/lib/ids.ts'
import { AskRefused } from '@/connections'
import type { JsonObject } from '@/plugins'
import { CODES, isObject } from './messages.ts'
import { lacking, missingCapability, type Question, type Talk } from './talk.ts'

const AWAY_MS_MAX = 5 * MINUTE_MS
/** Questions that come together are put together. */
const GATHER_MS = 5
const OF_A_GRANT_MAX = 16
const ALL_MAX = 1_000

type Put = { question: Question; resolve(result: JsonObject): void; reject(error: unknown): void }
/** `asks`: what the client is to bring along next time, and the name under which it finds the rest waiting. */
export type Step = { kind: 'done'; result: JsonObject } | { kind: 'asks'; inputRequests: JsonObject; conversation: string }
/** What a request is served with: the same talk over all its rounds. */
type Work = (talk: Talk) => Promise<JsonObject>

type Conversation = {
  id: string
  grantId: GrantId
  current: Talk | undefined
  questions: Map<string, Put>
  asked: number
  outcome: Promise<{ result: JsonObject } | { error: unknown }>
  ending: AbortController
  wake?: () => void
  timer?: ReturnType<typeof setTimeout>
}

export function createConversations({ awayMsMax = AWAY_MS_MAX }: { awayMsMax?: number } = {}) {
  const waiting = new Map<string, Conversation>()
  const forget = (conversation: Conversation) => {
    clearTimeout(conversation.timer)
    waiting.delete(conversation.id)
  }
  const park = (conversation: Conversation) => {
    const ofGrant = waiting.values().filter(({ grantId }) => grantId === conversation.grantId)
    if (waiting.size >= ALL_MAX || [...ofGrant].length >= OF_A_GRANT_MAX) {
      conversation.ending.abort()
      throw new Failure('upstream_busy', { message: 'Too many calls wait for an answer of this app.' })
    }
    waiting.set(conversation.id, conversation)
    conversation.timer = setTimeout(() => {
      forget(conversation)
      conversation.ending.abort()
    }, awayMsMax)
    conversation.timer.unref()
  }

  /** Until there is a result, or something to ask. While a client waits for it, its giving up is the end of all. */
  const step = async (conversation: Conversation, talk: Talk): Promise<Step> => {
    conversation.current = talk
    const { promise: asks, resolve: wake } = Promise.withResolvers<'asks'>()
    conversation.wake = () => setTimeout(() => wake('asks'), GATHER_MS)
    if (conversation.questions.size > 0) conversation.wake()
    const onAbort = () => conversation.ending.abort()
    talk.signal.addEventListener('abort', onAbort, { once: true })
    try {
      const next = await Promise.race([conversation.outcome, asks])
      if (next !== 'asks') {
        if ('error' in next) throw next.error
        return { kind: 'done', result: next.result }
      }
      park(conversation)
      const inputRequests = Object.fromEntries([...conversation.questions].map(([key, { question }]) => [key, question]))
      return { kind: 'asks', inputRequests, conversation: conversation.id }
    } finally {
      talk.signal.removeEventListener('abort', onAbort)
      delete conversation.wake
      conversation.current = undefined
    }
  }

  return {
    /** @throws what `work` throws */
    begin(grantId: GrantId, talk: Talk, work: Work): Promise<Step> {
      const conversation: Conversation = {
        id: randomSecret(16),
        grantId,
        current: talk,
        questions: new Map(),
        asked: 0,
        outcome: Promise.resolve({ result: {} }),
        ending: new AbortController(),
      }
      if (talk.signal.aborted) conversation.ending.abort()
      conversation.outcome = work(lasting(conversation, talk)).then(
        (result) => ({ result }),
        (error) => ({ error }),
      )
      return step(conversation, talk)
    },
    /** The client came back with answers. Undefined where nothing of this name waits for this grant. */
    goOn(id: string, grantId: GrantId, talk: Talk, responses: unknown): Promise<Step> | undefined {
      const conversation = waiting.get(id)
      if (conversation?.grantId !== grantId) return undefined
      forget(conversation)
      for (const [key, { question, resolve, reject }] of conversation.questions) {
        const response = isObject(responses) ? responses[key] : undefined
        if (!isObject(response)) continue
        conversation.questions.delete(key)
        if (question.method === 'elicitation/create' && typeof response['action'] !== 'string')
          reject(new AskRefused({ code: CODES.invalidParams, message: 'The app gave no usable answer.' }))
        else resolve(response)
      }
      return step(conversation, talk)
    },
    endOf(grantId: GrantId): void {
      for (const conversation of waiting.values()) {
        if (conversation.grantId !== grantId) continue
        forget(conversation)
        conversation.ending.abort()
      }
    },
    grants: (): GrantId[] => [...waiting.values()].map(({ grantId }) => grantId),
    close(): void {
      for (const conversation of waiting.values()) {
        forget(conversation)
        conversation.ending.abort()
      }
    },
  }
}
export type Conversations = ReturnType<typeof createConversations>

/** The talk as the upstream's side sees it: one, whichever request the client is waiting on. */
function lasting(conversation: Conversation, first: Talk): Talk {
  return {
    ...first,
    signal: conversation.ending.signal,
    tell: (notification) => conversation.current?.tell(notification),
    ask(question, signal) {
      const needed = lacking((conversation.current ?? first).capabilities, question)
      if (needed) return Promise.reject(missingCapability(needed))
      const { promise, resolve, reject } = Promise.withResolvers<JsonObject>()
      conversation.asked += 1
      const key = `q${conversation.asked}`
      conversation.questions.set(key, { question, resolve, reject })
      const drop = () => {
        conversation.questions.delete(key)
        reject(new AskRefused({ code: CODES.internal, message: 'Nobody answered.' }))
      }
      signal.addEventListener('abort', drop, { once: true })
      conversation.wake?.()
      return promise.finally(() => signal.removeEventListener('abort', drop))
    },
  }
}
