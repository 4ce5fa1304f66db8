/** What of a call goes into the trail beside its row: by reference, and only where its profile keeps it. */
import type { CallRecord, Contents } from '@/audit'
import type { Caller } from './caller.ts'
import type { Digested } from './digest.ts'
import type { Asked } from './messages.ts'

/** A resource's address is the subject of its row. What was answered to questions of an upstream stays between the two. */
export function contentsOf({ profile: { keeps } }: Caller, asked: Asked, result?: unknown): Contents | undefined {
  return keeps === 'sizes' ? undefined : { keeps, arguments: asked.params['arguments'], result }
}

/** What a tool was asked for by way of another, which is what the row is about. */
export function askedFor(record: CallRecord, inner: Asked): void {
  if (record.contents) record.contents.arguments = inner.params['arguments']
}

type Done = { digest: Digested } | { result: unknown } | { refusal: { error: unknown } } | { failure: { message: string } }

export function answeredWith<T extends Done>(record: CallRecord, done: T): T {
  if (record.contents) record.contents.result = resultIn(done)
  return done
}

function resultIn(done: Done): unknown {
  if ('digest' in done) return done.digest.response.result ?? done.digest.response.error
  if ('failure' in done) return { message: done.failure.message }
  return 'result' in done ? done.result : done.refusal.error
}

/** W3C Trace Context: `00-<trace id>-<parent id>-<flags>`. */
export const traceIdOf = (traceparent: unknown): string | null =>
  typeof traceparent === 'string' ? (/^[\da-f]{2}-([\da-f]{32})-/.exec(traceparent)?.[1] ?? null) : null
