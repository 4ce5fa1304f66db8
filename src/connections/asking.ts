/**
 * What a legacy upstream asks of us while it works: sampling, elicitation, roots. Whoever called answers. Over a shared pipe the
 * question does not say which call it belongs to; it goes to the caller only where there is no doubt, since one user's client must
 * never see what another's call led to.
 */
import { Bag, type Bagged, NOWHERE } from '@/lib/bag.ts'
import { SECOND_MS } from '@/lib/clock.ts'
import type { Channel, JsonObject, JsonRpcError, JsonRpcRequest, JsonRpcResponse, RequestId, UpstreamMessage } from '@/plugins'

/** Thrown by whoever is asked and says no. */
export class AskRefused extends Error {
  override readonly name = 'AskRefused'
  constructor(readonly error: JsonRpcError) {
    super(error.message)
  }
}
export type Asker = {
  /** Calls of one group may answer for each other: one grant, one client. */
  group: string
  /** Rejects with `AskRefused`. The signal aborts when nobody waits for the answer any more. */
  ask(request: { method: string; params: JsonObject }, signal: AbortSignal): Promise<JsonObject>
  /** Hears what the upstream says to nobody in particular while it works on a call of this group alone. */
  tell(message: UpstreamMessage): void
}

/** One call of an asker's. The later it began, the larger its `turn`. */
type Entered = Bagged & { readonly asker: Asker; readonly turn: number }

const METHOD_NOT_FOUND = -32601
const INTERNAL = -32603
/** Questions of one upstream that wait for a person at the same time. */
const QUESTIONS_MAX = 64
/** For so long a server may still be at work on a call that was given up, and ask for it. */
const DOUBT_MS = 30 * SECOND_MS

export function createAsking(channel: Pick<Channel, 'respond'>) {
  /** The calls under way that could be asked. One asker with several calls stands there for each. */
  const underWay = new Bag<Entered>()
  let turns = 0
  /** Groups of calls that were given up a short while ago. */
  const givenUp = new Map<string, ReturnType<typeof setTimeout>>()
  const questions = new Map<RequestId, { request: JsonRpcRequest; ending: AbortController; asker: Asker; isOwn: boolean }>()

  const respond = (response: JsonRpcResponse) => void channel.respond(response).catch(() => undefined)
  const refuse = (id: RequestId, error: JsonRpcError) => respond({ jsonrpc: '2.0', id, error })

  /** The only caller there is, or none. */
  const undoubted = (): Asker | undefined => {
    const calls = underWay.all().toSorted((a, b) => a.turn - b.turn)
    return new Set([...calls.map(({ asker }) => asker.group), ...givenUp.keys()]).size === 1 ? calls.at(-1)?.asker : undefined
  }

  const put = async (request: JsonRpcRequest, asker: Asker, isOwn: boolean): Promise<void> => {
    const { id, method, params = {} } = request
    const ending = new AbortController()
    const question = { request, ending, asker, isOwn }
    questions.set(id, question)
    try {
      const result = await asker.ask({ method, params }, ending.signal)
      if (!ending.signal.aborted) respond({ jsonrpc: '2.0', id, result })
    } catch (error) {
      if (ending.signal.aborted) return
      refuse(id, error instanceof AskRefused ? error.error : { code: INTERNAL, message: 'The app did not answer.' })
    } finally {
      if (questions.get(id) === question) questions.delete(id)
    }
  }

  const doubt = (group: string): void => {
    clearTimeout(givenUp.get(group))
    const timer = setTimeout(() => givenUp.delete(group), DOUBT_MS)
    timer.unref()
    givenUp.set(group, timer)
  }

  /** @param own whoever made the request on whose stream the question came */
  const take = (request: JsonRpcRequest, own?: Asker): void => {
    if (request.method === 'ping') return respond({ jsonrpc: '2.0', id: request.id, result: {} })
    const asker = own ?? undoubted()
    if (!asker) {
      const why = underWay.size === 0 ? 'No app is waiting for this server.' : 'It cannot be told which app this question is for.'
      return refuse(request.id, { code: METHOD_NOT_FOUND, message: why })
    }
    if (questions.size >= QUESTIONS_MAX || questions.has(request.id))
      return refuse(request.id, { code: INTERNAL, message: 'Too many questions are open.' })
    void put(request, asker, own !== undefined)
  }

  return {
    enter(asker: Asker): Entered {
      turns += 1
      const entered = { asker, turn: turns, index: NOWHERE }
      underWay.add(entered)
      return entered
    },
    /** It is answered, or was given up by whoever called. */
    leave(entered: Entered, isGivenUp: boolean): void {
      underWay.delete(entered)
      const { asker: mine } = entered
      if (isGivenUp) doubt(mine.group)
      // Whoever still thinks about a question of a call that is over need not go on.
      if (questions.size === 0 || underWay.all().some(({ asker }) => asker === mine)) return
      for (const { request, ending, asker, isOwn } of [...questions.values()]) {
        if (asker !== mine) continue
        ending.abort()
        questions.delete(request.id)
        // On a shared pipe it may have been another call's of the same app, which waits for it; of nobody else's.
        if (!isOwn && undoubted()?.group === mine.group) take(request)
        else refuse(request.id, { code: INTERNAL, message: 'The call that this was about is over.' })
      }
    },
    take,
    /** A remark on the shared pipe goes where a question would. */
    remark: (message: UpstreamMessage): void => undoubted()?.tell(message),
    /** The upstream takes its question back. */
    cancelled: (id: RequestId): void => questions.get(id)?.ending.abort(),
  }
}
