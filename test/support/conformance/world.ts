/** What every instance of the conformance server shares: HTTP builds one per request, and only what is kept here lives on. */
import { createRequestStateCodec } from '@modelcontextprotocol/server'
import { createTasks } from './tasks.ts'

export type Changing = 'tools' | 'prompts'
type State = Record<string, unknown>

/** The longest that a client waits before it asks for the rest of a stream that was closed under it. */
export const RETRY_MS = 200

export function createWorld() {
  const listeners = new Set<(what: Changing) => void>()
  const offered: Record<Changing, boolean> = { tools: true, prompts: true }
  return {
    tasks: createTasks(),
    /** State that goes through the client comes back signed, or is refused before a tool sees it. */
    states: createRequestStateCodec<State>({ key: crypto.getRandomValues(new Uint8Array(32)) }),
    offered,
    /** Takes the changing tool or prompt away, or brings it back: each call is a change that a listing shows. */
    change(what: Changing): void {
      offered[what] = !offered[what]
      for (const tell of listeners) tell(what)
    },
    onChange(tell: (what: Changing) => void): () => void {
      listeners.add(tell)
      return () => void listeners.delete(tell)
    },
    /** Ends the stream of a call under way, where the transport has such a thing; set by the one that serves sessions. */
    closeStream: (_session: string | undefined, _request: string | number): void => {},
  }
}
export type World = ReturnType<typeof createWorld>
