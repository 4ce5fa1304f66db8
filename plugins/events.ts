import { createLines } from './lines.ts'

/** `event` is named where it is another than the default, `message`. */
export type ServerSentEvent = { data: string; event?: string; id?: string; retryMs?: number }

const RETRY_MS_MAX = 30_000

/**
 * Reads `text/event-stream` (HTML standard §9.2.6) as it comes. An event holds at most `bytesMax` bytes of data; more ends
 * the reading through `onTooLong`.
 */
export function createEventReader({
  bytesMax,
  onEvent,
  onTooLong,
}: {
  bytesMax: number
  onEvent(event: ServerSentEvent): void
  onTooLong(): void
}) {
  let data: string[] = []
  let bytes = 0
  let first = true
  let id: string | undefined
  let name = ''
  let retryMs: number | undefined

  function dispatch(): void {
    const event: ServerSentEvent = { data: data.join('\n') }
    if (name !== '' && name !== 'message') event.event = name
    if (id !== undefined) event.id = id
    if (retryMs !== undefined) event.retryMs = retryMs
    const worthTelling = data.length > 0 || retryMs !== undefined
    data = []
    bytes = 0
    name = ''
    retryMs = undefined
    if (worthTelling) onEvent(event)
  }

  function field(of: string, value: string): void {
    if (of === 'data') {
      bytes += value.length
      if (bytes > bytesMax) return onTooLong()
      data.push(value)
    } else if (of === 'event') name = value
    else if (of === 'id' && !value.includes('\0')) id = value
    else if (of === 'retry' && /^\d{1,9}$/.test(value)) retryMs = Math.min(Number(value), RETRY_MS_MAX)
  }

  function onLine(line: string): void {
    const text = first && line.startsWith('\ufeff') ? line.slice(1) : line
    first = false
    if (text === '') return dispatch()
    const colon = text.indexOf(':')
    if (colon === 0) return
    const value = colon === -1 ? '' : text.slice(text[colon + 1] === ' ' ? colon + 2 : colon + 1)
    field(colon === -1 ? text : text.slice(0, colon), value)
  }

  // A lone CR ends a line as well; nobody sends it, but a line that contains one must not hide a second field.
  const lines = createLines({
    bytesMax,
    onTooLong,
    onLine: (line) => (line.includes('\r') ? line.split('\r').forEach(onLine) : onLine(line)),
  })
  /** An event that the end of the stream cut off is not delivered, as the standard says. */
  return { push: lines.push }
}
