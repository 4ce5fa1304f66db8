/** Questions to legacy clients: real requests of ours on a stream of theirs, whose answers come back in a POST of their own. */
import { randomSecret } from '@/lib/crypto.ts'
import { AskRefused } from '@/connections'
import type { JsonObject, JsonRpcError } from '@/plugins'
import { CODES } from './messages.ts'
import type { Reply } from './reply.ts'
import { lacking, type Question } from './talk.ts'

type Waiting = { of: string; resolve(result: JsonObject): void; reject(error: AskRefused): void }

export function createQuestions() {
  const waiting = new Map<string, Waiting>()
  return {
    /** @param of the session, or the grant where there is none: nobody else's answer counts */
    ask(of: string, capabilities: JsonObject, question: Question, signal: AbortSignal, reply: Reply): Promise<JsonObject> {
      if (lacking(capabilities, question)) return Promise.reject(notOffered(question))
      const id = `ask-${randomSecret(12)}`
      const { promise, resolve, reject } = Promise.withResolvers<JsonObject>()
      waiting.set(id, { of, resolve, reject })
      const onAbort = () => {
        reply.tell({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } })
        reject(refusedWith('Nobody waits for the answer any more.'))
      }
      if (signal.aborted) onAbort()
      else if (reply.tell({ jsonrpc: '2.0', id, ...question })) signal.addEventListener('abort', onAbort, { once: true })
      else reject(refusedWith('The app takes no questions while it waits for an answer.'))
      return promise.finally(() => {
        waiting.delete(id)
        signal.removeEventListener('abort', onAbort)
      })
    },
    /** False for an answer that nobody waits for. */
    answered(of: string, id: unknown, { result, error }: { result?: JsonObject; error?: JsonRpcError }): boolean {
      const asked = waiting.get(String(id))
      if (asked?.of !== of) return false
      if (result) asked.resolve(result)
      else asked.reject(new AskRefused(error ?? { code: CODES.internal, message: 'The app gave no usable answer.' }))
      return true
    },
  }
}
export type Questions = ReturnType<typeof createQuestions>

export const notOffered = ({ method }: Question): AskRefused => refusedWith(`The app does not offer ${method.slice(0, 60)}.`)
const refusedWith = (message: string) => new AskRefused({ code: CODES.unknownMethod, message })
