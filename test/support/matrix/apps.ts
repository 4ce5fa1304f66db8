/** The apps of the matrix: the clients of both versions of the SDK, told apart by nothing but their era. */
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client'
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import * as types from '@modelcontextprotocol/sdk/types.js'
import { z } from 'zod'

export type Era = 'legacy' | 'modern'
export type Json = Record<string, unknown>
export type Heard = { method: string; params: Json }
export type Question = { method: string; params: Json }
export type Options = {
  onprogress?: (progress: { progress: number; total?: number | undefined; message?: string | undefined }) => void
  signal?: AbortSignal
}
/** What an app answers when it is asked; one that is missing is not offered. */
export type Answers = { elicit?: (params: Json) => Json; sample?: (params: Json) => Json; roots?: () => Json; extensions?: Json }
export type Where = { url: string; token: string }

export const FORM_AND_LINK = { form: {}, url: {} }
export const ANSWERING: Answers = {
  elicit: ({ mode }) => (mode === 'url' ? { action: 'accept' } : { action: 'accept', content: { name: 'Ada' } }),
  sample: () => ({ role: 'assistant', model: 'a-model', content: { type: 'text', text: 'A thing.' } }),
  roots: () => ({ roots: [{ uri: 'file:///home/ada', name: 'home' }] }),
}

const NOTICES = ['tools/list_changed', 'prompts/list_changed', 'resources/list_changed', 'resources/updated', 'message'].map(
  (name) => `notifications/${name}`,
)
const Loose = z.looseObject({})

function capabilitiesOf({ elicit, sample, roots, extensions }: Answers) {
  return {
    ...(elicit && { elicitation: FORM_AND_LINK }),
    ...(sample && { sampling: {} }),
    ...(roots && { roots: { listChanged: true } }),
    ...(extensions && { extensions }),
  }
}

/** The first version's client, made to speak as the second's does: its options come in the third place. */
export async function connectLegacy({ url, token }: Where, answers: Answers = {}) {
  const heard: Heard[] = []
  const questions: Question[] = []
  const { extensions: _, ...capabilities } = capabilitiesOf(answers) as { extensions?: Json }
  const client = new LegacyClient({ name: 'legacy-app', version: '1' }, { capabilities })
  const { elicit, sample, roots } = answers
  const noted = <T>(method: string, params: unknown, answer: T): T => (questions.push({ method, params: (params ?? {}) as Json }), answer)
  if (elicit)
    client.setRequestHandler(types.ElicitRequestSchema, ({ method, params }) => noted(method, params, elicit(params as Json) as never))
  if (sample)
    client.setRequestHandler(types.CreateMessageRequestSchema, ({ method, params }) =>
      noted(method, params, sample(params as Json) as never),
    )
  if (roots) client.setRequestHandler(types.ListRootsRequestSchema, ({ method }) => noted(method, {}, roots() as never))
  client.fallbackNotificationHandler = async ({ method, params }) => void heard.push({ method, params: (params ?? {}) as Json })
  const headers = { authorization: `Bearer ${token}` }
  const reconnectionOptions = { initialReconnectionDelay: 50, maxReconnectionDelay: 200, reconnectionDelayGrowFactor: 1.2, maxRetries: 50 }
  const transport = new LegacyTransport(new URL(url), { requestInit: { headers }, reconnectionOptions })
  await client.connect(transport as never)
  return {
    era: 'legacy' as Era,
    client,
    transport,
    heard,
    questions,
    call: (params: { name: string; arguments?: Json; _meta?: Json }, options?: Options) =>
      client.callTool(params, types.CallToolResultSchema, options) as Promise<Json>,
    tools: (cursor?: string) => client.listTools(cursor === undefined ? undefined : { cursor }) as Promise<Json & { tools: Json[] }>,
    request: (method: string, params: Json = {}) => client.request({ method, params } as never, Loose as never) as Promise<Json>,
    setLevel: async (level: types.LoggingLevel): Promise<Json> => (await client.setLoggingLevel(level), {}),
    async watch(uri: string): Promise<() => Promise<void>> {
      await client.subscribeResource({ uri })
      return async () => void (await client.unsubscribeResource({ uri }))
    },
    listen: async (): Promise<() => Promise<void>> => async () => undefined,
    close: () => client.close(),
  }
}

export async function connectModern({ url, token }: Where, answers: Answers = {}) {
  const heard: Heard[] = []
  const questions: Question[] = []
  const client = new ModernClient(
    { name: 'modern-app', version: '1' },
    { capabilities: capabilitiesOf(answers) as never, versionNegotiation: { mode: 'auto' } },
  )
  const { elicit, sample, roots } = answers
  const noted = <T>(method: string, params: unknown, answer: T): T => (questions.push({ method, params: (params ?? {}) as Json }), answer)
  if (elicit) client.setRequestHandler('elicitation/create', ({ method, params }) => noted(method, params, elicit(params as Json) as never))
  if (sample)
    client.setRequestHandler('sampling/createMessage', ({ method, params }) => noted(method, params, sample(params as Json) as never))
  if (roots) client.setRequestHandler('roots/list', ({ method }) => noted(method, {}, roots() as never))
  for (const method of NOTICES)
    client.setNotificationHandler(
      method as 'notifications/message',
      ({ params }) => void heard.push({ method, params: (params ?? {}) as Json }),
    )
  await client.connect(new ModernTransport(new URL(url), { requestInit: { headers: { authorization: `Bearer ${token}` } } }))
  if (client.getNegotiatedProtocolVersion() !== '2026-07-28') throw new Error('The modern app was not served as one.')
  const listening = async (filter: object) => {
    const subscription = await client.listen(filter)
    return () => subscription.close()
  }
  return {
    era: 'modern' as Era,
    client,
    transport: undefined,
    heard,
    questions,
    call: (params: { name: string; arguments?: Json; _meta?: Json }, options?: Options) =>
      client.callTool(params as never, options as never) as Promise<Json>,
    tools: (cursor?: string) =>
      client.listTools(cursor === undefined ? undefined : { cursor }, { cacheMode: 'refresh' }) as unknown as Promise<
        Json & { tools: Json[] }
      >,
    request: (method: string, params: Json = {}) => client.request({ method, params } as never, Loose as never) as unknown as Promise<Json>,
    /** What goes along with each request from now on. */
    setLevel: async (level: types.LoggingLevel): Promise<Json> => ({ 'io.modelcontextprotocol/logLevel': level }),
    watch: (uri: string) => listening({ resourceSubscriptions: [uri] }),
    listen: () => listening({ toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true }),
    close: () => client.close(),
  }
}
export type App = Awaited<ReturnType<typeof connectLegacy>> | Awaited<ReturnType<typeof connectModern>>

export const connect = (era: Era, where: Where, answers?: Answers): Promise<App> =>
  era === 'legacy' ? connectLegacy(where, answers) : connectModern(where, answers)

export const textOf = (result: unknown): string => (result as { content: { text?: string }[] }).content[0]?.text ?? ''
/** The code and the data of what a request was refused with. */
export const refusalOf = async (work: Promise<unknown>): Promise<{ code?: unknown; data?: unknown; message: string }> =>
  work.then(
    (answered) => ({ message: `was answered: ${JSON.stringify(answered)}` }),
    (error: Error & { code?: unknown; data?: unknown }) => ({ code: error.code, data: error.data, message: error.message }),
  )
