/** The same load over the pipe of a program: so many requests in flight, each answered before its place sends the next. */
import type { ProgramJob } from './load.ts'
import { createTally, mark, MARK, type Result } from './load-tally.ts'

type Child = Bun.Subprocess<'pipe', 'pipe', 'inherit'>
type Place = { number: string; sentNs: number }

const NEWLINE = 0x0a
/** Kept between jobs: a program that has just been started runs cold code. */
const children = new Map<string, { child: Child; reader: ReadableStreamDefaultReader<Uint8Array> }>()

function childOf(command: string[]) {
  const key = command.join(' ')
  const known = children.get(key)
  if (known) return known
  const child = Bun.spawn(command, { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' })
  process.on('exit', () => child.kill('SIGKILL'))
  const made = { child, reader: child.stdout.getReader() }
  children.set(key, made)
  return made
}

/** Whole lines of what has come, and the rest. */
function linesOf(bytes: Buffer): { lines: string[]; rest: Buffer } {
  const lines: string[] = []
  let from = 0
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
    lines.push(bytes.toString('latin1', from, end))
    from = end + 1
  }
  return { lines, rest: bytes.subarray(from) }
}

export async function runProgram(job: ProgramJob): Promise<Result> {
  const { child, reader } = childOf(job.command)
  const [before = '', after = ''] = job.body.split(MARK)
  const places: Place[] = Array.from({ length: job.inFlight }, () => ({ number: '', sentNs: 0 }))
  const tally = createTally(job)
  let open = 0

  const send = (at: number) => {
    const number = tally.begin()
    if (number === undefined) return
    open += 1
    places[at] = { number: mark(number), sentNs: Bun.nanoseconds() }
    // Each on its own, as clients send that know nothing of each other: gathered, sixteen would cost little more than one.
    child.stdin.write(`{"jsonrpc":"2.0","id":${at},${before}${mark(number)}${after}\n`)
    void child.stdin.flush()
  }
  const receive = (line: string) => {
    const { id, result } = JSON.parse(line) as { id: number; result?: { content?: { text: string }[] } }
    const place = places[id]
    if (!place || !result?.content?.[0]?.text.includes(place.number)) throw new Error(`an answer without what was sent: ${line}`)
    tally.end(place.sentNs)
    open -= 1
    send(id)
  }
  tally.start()
  for (let at = 0; at < job.inFlight; at++) send(at)
  let rest: Buffer = Buffer.alloc(0)
  while (open > 0) {
    const { done, value } = await reader.read()
    if (done) throw new Error('the program ended')
    const came = linesOf(rest.length > 0 ? Buffer.concat([rest, value]) : Buffer.from(value.buffer, value.byteOffset, value.byteLength))
    rest = came.rest
    for (const line of came.lines) receive(line)
  }
  return tally.result()
}
