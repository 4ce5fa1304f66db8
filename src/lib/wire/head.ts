/** What is wrong with an answer. Whoever knows the host's name makes a sentence of it. */
export class AnswerError extends Error {
  override readonly name = 'AnswerError'
  constructor(
    readonly kind: 'malformed' | 'too-large',
    message: string,
  ) {
    super(message)
  }
}
export const malformed = (what: string): AnswerError => new AnswerError('malformed', what)

/** The head of an answer: what a caller may want to know of it, and how its body ends. */
export type AnswerHead = {
  status: number
  /** All values of that name, joined as `Headers` does. The name in lower case. */
  header(name: string): string | null
  /** The body's bytes where the server says how many; undefined also where the body is chunked or ends with the connection. */
  length: number | undefined
  isChunked: boolean
  /** In lower case; empty where the body is as it is. */
  encoding: string
  /** How long the connection may lie idle behind this answer, in milliseconds. 0: it may not be used again. */
  idleMs: number
}

export const HEAD_BYTES_MAX = 32 * 1024
const FIELDS_MAX = 100
/** Shorter than what common servers grant (nginx 75 s, Node 5 s), so that it is us who close an idle connection. */
const IDLE_MS = 4_000
const IDLE_MS_MAX = 30_000
/** Taken off what a server grants: its clock ran first. */
const IDLE_MARGIN_MS = 1_000

/**
 * RFC 9112 §4 and §5, without what a recipient may forgive: no bare LF, no continued line, no blank before a colon. Two
 * readers that forgive differently see different answers, which is how one answer is smuggled into another.
 */
const HEAD = /^HTTP\/1\.[01] [1-5][0-9]{2}(?: [\t\x20-\x7e\x80-\xff]*)?\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*$/
const LENGTH = /^[0-9]{1,15}$/
const KEEP_ALIVE = /(?:^|[,; ])timeout=([0-9]{1,6})(?:$|[,; ])/i

/** Reads status line and fields, line ends included, without the empty line behind. Throws `AnswerError`. */
export function parseHead(text: string): AnswerHead {
  if (!HEAD.test(text)) throw malformed('the head is no head of HTTP/1')
  const fields = fieldsOf(text)
  const header = (name: string): string | null => joinedValue(fields, name)
  const isOld = text.charCodeAt(7) === 48
  const isChunked = demandCoding(header('transfer-encoding'), isOld)
  const length = lengthOf(fields)
  if (isChunked && length !== undefined) throw malformed('the length is given in two ways')
  const status = Number(text.slice(9, 12))
  // A 204 that announces a body may well send it, and the next answer would begin with it.
  const isSuspect = status === 204 && (isChunked || (length ?? 0) > 0)
  const encoding = header('content-encoding')?.toLowerCase() ?? ''
  return {
    status,
    header,
    length,
    isChunked,
    encoding: encoding === 'identity' ? '' : encoding,
    idleMs: isSuspect ? 0 : idleMsOf(header, isOld),
  }
}

/** Name in lower case and value, by turns. */
function fieldsOf(text: string): string[] {
  const fields: string[] = []
  let at = text.indexOf('\r\n') + 2
  while (at < text.length) {
    const colon = text.indexOf(':', at)
    const end = text.indexOf('\r\n', colon)
    if (fields.length >= 2 * FIELDS_MAX) throw malformed('the head has too many fields')
    fields.push(text.slice(at, colon).toLowerCase(), trimmed(text, colon + 1, end))
    at = end + 2
  }
  return fields
}

/** Without the blanks around, which are space and tab only: `trim` would take the no-break space along. */
function trimmed(text: string, from: number, to: number): string {
  let start = from
  let end = to
  while (start < end && isBlank(text.charCodeAt(start))) start += 1
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1
  return text.slice(start, end)
}
const isBlank = (code: number): boolean => code === 32 || code === 9

function joinedValue(fields: readonly string[], name: string): string | null {
  let value: string | null = null
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at] !== name) continue
    const found = fields[at + 1] as string
    value = value === null ? found : `${value}, ${found}`
  }
  return value
}

/** RFC 9112 §6.3: several lengths that are not the same make the answer unreadable. */
function lengthOf(fields: readonly string[]): number | undefined {
  let length: string | undefined
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at] !== 'content-length') continue
    const found = fields[at + 1] as string
    if (!LENGTH.test(found) || (length !== undefined && found !== length)) throw malformed('the length is no length')
    length = found
  }
  return length === undefined ? undefined : Number(length)
}

/** `chunked` alone is understood; we never ask for another coding, and an old server cannot know this one (RFC 9112 §6.1). */
function demandCoding(coding: string | null, isOld: boolean): boolean {
  if (coding === null) return false
  if (isOld || coding.toLowerCase() !== 'chunked') throw malformed('the transfer coding is not known')
  return true
}

function idleMsOf(header: AnswerHead['header'], isOld: boolean): number {
  const connection = header('connection')?.toLowerCase() ?? ''
  if (isOld ? !connection.includes('keep-alive') : connection.includes('close')) return 0
  const granted = KEEP_ALIVE.exec(header('keep-alive') ?? '')
  if (granted === null) return IDLE_MS
  return Math.max(0, Math.min(Number(granted[1]) * 1_000 - IDLE_MARGIN_MS, IDLE_MS_MAX))
}

/** Looked through for the end of the head before anything is copied: nearly every head is shorter. */
const FIRST_LOOK_BYTES = 2 * 1024
const CR = 13
const LF = 10

/** Finds the head at the start of an answer, however it is cut. */
export function createHeadReader() {
  let held: Buffer | undefined
  // Many answers of a server have the same head within a second. Reading it is a tenth of what an answer costs.
  let lastText = ''
  let lastHead: AnswerHead | undefined

  function headOf(text: string): AnswerHead {
    if (lastHead === undefined || text !== lastText) {
      lastHead = parseHead(text)
      lastText = text
    }
    return lastHead
  }

  function readHeld(bytes: Buffer, at: number): { head: AnswerHead; at: number } | undefined {
    const before = held?.length ?? 0
    const part = bytes.subarray(at, at + HEAD_BYTES_MAX - before)
    const all = held === undefined ? Buffer.from(part) : Buffer.concat([held, part])
    const from = Math.max(0, before - 3)
    const end = all.indexOf('\r\n\r\n', from, 'latin1')
    if (end >= 0) {
      held = undefined
      return { head: headOf(all.toString('latin1', 0, end + 2)), at: at + end + 4 - before }
    }
    if (all.length >= HEAD_BYTES_MAX) throw malformed('the head is too long')
    // Who ends lines with LF alone would otherwise be waited for until the time is up.
    for (let lf = all.indexOf(LF, from); lf >= 0; lf = all.indexOf(LF, lf + 1))
      if (lf === 0 || all[lf - 1] !== CR) throw malformed('a line of the head ends with LF alone')
    held = all
    return undefined
  }

  return {
    begin: (): void => {
      held = undefined
    },
    hasBegun: (): boolean => held !== undefined,
    /** The head and where it ends in `bytes`; undefined when it goes on in the next ones. */
    read: (bytes: Buffer, at: number): { head: AnswerHead; at: number } | undefined => {
      if (held !== undefined) return readHeld(bytes, at)
      const look = bytes.toString('latin1', at, Math.min(bytes.length, at + FIRST_LOOK_BYTES))
      const end = look.indexOf('\r\n\r\n')
      return end < 0 ? readHeld(bytes, at) : { head: headOf(look.slice(0, end + 2)), at: at + end + 4 }
    },
  }
}
