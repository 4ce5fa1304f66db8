/**
 * A server of an older revision that asks, remarks and answers in the midst of a call in the order that its arguments say, whoever calls:
 * over HTTP, each call with a stream of its own, or, run by itself, as a program with one pipe for all. It keeps what it is told.
 */
type Id = number | string
type Heard = { id?: Id; method?: string; params?: Record<string, unknown>; result?: unknown; error?: unknown }
/** Writes messages in one piece, and ends the stream of the call where there is one. */
type Saying = { say(...messages: object[]): void; end(): void }

const QUESTION_ID = 'question'
const TOOLS = ['look', 'change']
const version = { jsonrpc: '2.0' }
const text = (said: string) => ({ content: [{ type: 'text', text: said }] })
const question = (method: string, params: object = {}) => ({ ...version, id: QUESTION_ID, method, params })
const FORM = { message: 'Who?', requestedSchema: { type: 'object', properties: {} } }
const LINK = { mode: 'url', url: 'https://upstream.example/open', elicitationId: 'one', message: 'Open it.' }
/** How long it waits for an answer to what it asked. */
const PATIENT_MS = 300
const SLOW_MS = 100

function createImpolite() {
  let told: Heard[] = []
  let onAnswer: ((heard: Heard) => void) | undefined
  const asking = async (id: Id, saying: Saying, asked: object): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<Heard | undefined>()
    onAnswer = resolve
    const late = setTimeout(() => resolve(undefined), PATIENT_MS)
    saying.say(asked)
    const heard = await promise
    clearTimeout(late)
    saying.say({ ...version, id, result: text(`it heard ${JSON.stringify(heard?.result ?? heard?.error ?? 'nothing')}`) })
    saying.end()
  }
  const answering = (id: Id, saying: Saying, ...before: object[]): void => {
    saying.say(...before, { ...version, id, result: { ...text('here it is'), structuredContent: { it: 1 }, _meta: { own: 'kept' } } })
    saying.end()
  }
  const failing = (id: Id, saying: Saying, error: object): void => {
    saying.say({ ...version, id, error })
    saying.end()
  }
  const remark = { ...version, method: 'notifications/message', params: { level: 'error', data: 'a remark' } }
  const progress = (id: Id) => ({ ...version, method: 'notifications/progress', params: { progressToken: id, progress: 1 } })
  const WAYS: Record<string, (id: Id, saying: Saying) => unknown> = {
    answers: (id, saying) => answering(id, saying),
    'takes its time': (id, saying) => setTimeout(() => answering(id, saying), SLOW_MS),
    'remarks first': (id, saying) => answering(id, saying, remark, progress(id)),
    'pings first': (id, saying) => answering(id, saying, question('ping')),
    'has an error of its own': (id, saying) => failing(id, saying, { code: -32_050, message: 'not today' }),
    'knows no such tool': (id, saying) => failing(id, saying, { code: -32_602, message: 'unknown tool', data: { name: 'it' } }),
    'wants a link opened': (id, saying) => failing(id, saying, { code: -32_042, message: 'a link', data: { elicitations: [LINK] } }),
    'says it went wrong': (id, saying) => (saying.say({ ...version, id, result: { ...text('broken'), isError: true } }), saying.end()),
    'asks with a form': (id, saying) => asking(id, saying, question('elicitation/create', FORM)),
    'asks with a link': (id, saying) => asking(id, saying, question('elicitation/create', LINK)),
    'asks the model': (id, saying) => asking(id, saying, question('sampling/createMessage', { messages: [], maxTokens: 1 })),
    'asks for folders': (id, saying) => asking(id, saying, question('roots/list')),
    'asks what nobody knows': (id, saying) => asking(id, saying, question('own/question')),
    'asks and answers at once': (id, saying) => answering(id, saying, question('roots/list')),
    'answers and then asks': (id, saying) => {
      saying.say({ ...version, id, result: text('done') }, question('roots/list'))
      saying.end()
    },
  }
  return {
    ways: Object.keys(WAYS),
    hear(message: Heard, saying: Saying): void {
      const { id, method, params = {} } = message
      const results: Record<string, object> = {
        initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {}, logging: {} }, serverInfo: { name: 'it', version: '1' } },
        'tools/list': {
          tools: TOOLS.map((name) => ({ name, inputSchema: { type: 'object' }, annotations: { readOnlyHint: name === 'look' } })),
        },
        ping: {},
        'logging/setLevel': {},
      }
      const way = (params['arguments'] as { way?: string } | undefined)?.way
      if (method === 'tools/call' && id !== undefined && way !== undefined) return void WAYS[way]?.(id, saying)
      // What it was told since it was last asked, ids of requests aside.
      if (method === 'tools/call' && id !== undefined) {
        saying.say({ ...version, id, result: text(JSON.stringify(told)) })
        told = []
      } else if (id !== undefined && method !== undefined)
        saying.say({
          ...version,
          id,
          ...(results[method] ? { result: results[method] } : { error: { code: -32_601, message: 'unknown' } }),
        })
      else if (method === undefined) {
        told.push(message)
        onAnswer?.(message)
      } else if (method === 'notifications/cancelled') told.push({ method })
      saying.end()
    },
  }
}
export const WAYS = createImpolite().ways

const line = (message: object) => `${JSON.stringify(message)}\n`
const event = (message: object) => `event: message\ndata: ${JSON.stringify(message)}\n\n`

/** Over HTTP, in a session. */
export function startImpoliteUpstream() {
  const it = createImpolite()
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      if (request.method !== 'POST') return new Response(null, { status: 405 })
      const message = (await request.json()) as Heard
      if (message.id === undefined || message.method === undefined) {
        it.hear(message, { say: () => undefined, end: () => undefined })
        return new Response(null, { status: 202 })
      }
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
      const writer = writable.getWriter()
      const quiet = () => undefined
      it.hear(message, {
        say: (...messages) => void writer.write(new TextEncoder().encode(messages.map(event).join(''))).catch(quiet),
        end: () => void writer.close().catch(quiet),
      })
      return new Response(readable, { headers: { 'content-type': 'text/event-stream', 'mcp-session-id': 'one' } })
    },
  })
  return { url: `http://127.0.0.1:${server.port}/mcp`, stop: () => server.stop(true) }
}

if (import.meta.main) {
  const it = createImpolite()
  for await (const read of console)
    it.hear(JSON.parse(read) as Heard, {
      say: (...messages) => void process.stdout.write(messages.map(line).join('')),
      end: () => undefined,
    })
}
