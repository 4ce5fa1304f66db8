/** What both servers of the matrix offer and remember, whatever their revision: HTTP may build one for each request, and only this lives on. */

export type What = 'tools' | 'prompts' | 'resources'
export type Content = { type: string; [key: string]: unknown }
export type Result = { content: Content[]; structuredContent?: Record<string, unknown>; isError?: boolean }
type Event = { what: What } | { uri: string }

export const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='
export const text = (said: string): Result => ({ content: [{ type: 'text', text: said }] })
export const PAGE_ITEMS = 6

const NUMBERS = { type: 'object' as const, properties: { sum: { type: 'number' } }, required: ['sum'] }
const tool = (name: string, more: object = {}) => ({
  name,
  description: `Does ${name}`,
  inputSchema: { type: 'object' as const, properties: { message: { type: 'string' } } },
  ...more,
})
const NAMES = ['echo', 'image', 'fail', 'refuse', 'progress', 'forever', 'log', 'meta', 'seen', 'form', 'link', 'model', 'roots', 'leave']
const TOOLS = [
  ...NAMES.map((name) => tool(name)),
  tool('sum', { outputSchema: NUMBERS, icons: [{ src: 'data:image/png;base64,AAAA', mimeType: 'image/png' }] }),
  tool('change', { inputSchema: { type: 'object' as const, properties: { what: { type: 'string' } } } }),
  tool('update', { inputSchema: { type: 'object' as const, properties: { uri: { type: 'string' } } } }),
]
const prompt = (name: string) => ({ name, description: `Writes ${name}`, arguments: [{ name: 'city' }] })
const resource = (name: string) => ({ uri: `test://${name}`, name, mimeType: 'text/plain' })
/** Each is there or not; the rest always is. */
const CHANGING = { tools: tool('sometimes'), prompts: prompt('at_times'), resources: resource('sometimes') }

export function createWorld() {
  const isOffered: Record<What, boolean> = { tools: true, prompts: true, resources: true }
  const listeners = new Set<(event: Event) => void>()
  const tell = (event: Event) => {
    for (const listener of listeners) listener(event)
  }
  const withChanging = <T>(what: What, all: readonly T[], one: T) => (isOffered[what] ? [...all, one] : [...all])
  return {
    seen: { cancelled: [] as string[], subscribed: [] as string[], unsubscribed: [] as string[], levels: [] as string[] },
    tools: (more: readonly (typeof TOOLS)[number][] = []) => withChanging('tools', [...TOOLS, ...more], CHANGING.tools),
    prompts: () => withChanging('prompts', [prompt('greeting'), prompt('farewell')], CHANGING.prompts),
    resources: () => withChanging('resources', ['one', 'two'].map(resource), CHANGING.resources),
    templates: () => [{ uriTemplate: 'test://rooms/{room}', name: 'rooms', mimeType: 'text/plain' }],
    change(what: What): void {
      isOffered[what] = !isOffered[what]
      tell({ what })
    },
    update: (uri: string): void => tell({ uri }),
    onEvent(listener: (event: Event) => void): () => void {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
export type World = ReturnType<typeof createWorld>

/** A page of a list; the cursor of the second is the empty text, which is one like any other (2026-07-28, "Pagination"). */
export function pageOf<T>(all: readonly T[], cursor: string | undefined): { items: T[]; next: { nextCursor?: string } } {
  const from = cursor === undefined ? 0 : cursor === '' ? PAGE_ITEMS : Number(cursor)
  const to = from + PAGE_ITEMS
  if (to >= all.length) return { items: all.slice(from), next: {} }
  return { items: all.slice(from, to), next: { nextCursor: from === 0 ? '' : String(to) } }
}

export const LOGGED = ['debug', 'info', 'error'] as const
export const CITIES = ['Paris', 'Parma', 'Pisa']
export const completionOf = (typed: string) => ({ values: CITIES.filter((city) => city.startsWith(typed)), total: CITIES.length })
export const messagesOf = (name: string, city: string | undefined) => ({
  description: `The prompt ${name}`,
  messages: [{ role: 'user' as const, content: { type: 'text' as const, text: `${name} from ${city ?? 'nowhere'}` } }],
})
/** Undefined for what is not there. */
export function readingOf(world: World, uri: string) {
  const isThere = world.resources().some((each) => each.uri === uri) || uri.startsWith('test://rooms/')
  return isThere ? { contents: [{ uri, mimeType: 'text/plain', text: `This is ${uri}` }] } : undefined
}

/** What needs nobody and nothing but the arguments; undefined for the tools that do. */
export function plainResult(world: World, name: string, given: Record<string, unknown>): Result | undefined {
  if (name === 'echo' || name === 'sometimes') return text(String(given['message'] ?? name))
  if (name === 'image') return { content: [{ type: 'image', data: PIXEL, mimeType: 'image/png' }] }
  if (name === 'sum') return { ...text('{"sum":3}'), structuredContent: { sum: 3 } }
  if (name === 'fail') return { ...text('It went wrong.'), isError: true }
  if (name === 'seen') return text(JSON.stringify(world.seen))
  if (name === 'change') world.change(given['what'] as What)
  else if (name === 'update') world.update(String(given['uri']))
  else if (name === 'leave') setTimeout(() => process.exit(), 20)
  else return undefined
  return text('Done.')
}

/** The questions that a tool has, in the words of 2025-11-25; the later revision puts them into a result. */
export const QUESTIONS = {
  form: {
    method: 'elicitation/create',
    params: {
      mode: 'form',
      message: 'Who are you?',
      requestedSchema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
    },
  },
  link: { method: 'elicitation/create', params: { mode: 'url', message: 'Open this.', url: 'https://upstream.example/open' } },
  model: {
    method: 'sampling/createMessage',
    params: { messages: [{ role: 'user', content: { type: 'text', text: 'What is it?' } }], maxTokens: 10 },
  },
  roots: { method: 'roots/list', params: {} },
} as const
export type Asking = keyof typeof QUESTIONS
export const isAsking = (name: string): name is Asking => name in QUESTIONS
