/** The tools and the prompt that need something of the client: its model, its user, its roots. Older clients are asked by a request. */
import {
  acceptedContent,
  inputRequired,
  inputResponse,
  type InputRequests,
  type McpServer,
  ProtocolError,
  type ServerContext,
  type ToolCallback,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { text } from './content.ts'
import { declared } from './tasks.ts'
import type { World } from './world.ts'

type Schema = Exclude<Parameters<typeof inputRequired.elicit>[0]['requestedSchema'], { '~standard': unknown }>
const form = (message: string, properties: Schema['properties'], required: string[] = Object.keys(properties)) =>
  inputRequired.elicit({ message, requestedSchema: { type: 'object', properties, required } })
const question = (asked: string, maxTokens = 100) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text: asked } }], maxTokens })
const NAME = form('What is your name?', { name: { type: 'string' } })
const CONFIRM = form('Please confirm', { ok: { type: 'boolean' } })

const accepted = (ctx: ServerContext, key: string) => acceptedContent(ctx.mcpReq.inputResponses, key)
const stringOf = (value: unknown) => (typeof value === 'string' ? value : undefined)
const said = (ctx: ServerContext, key: string): string | undefined => {
  const answer = inputResponse(ctx.mcpReq.inputResponses, key)
  if (answer.kind !== 'sampling') return undefined
  const [first] = [answer.result.content].flat()
  return first?.type === 'text' ? first.text : JSON.stringify(first)
}
const rootsOf = (ctx: ServerContext, key: string) => {
  const answer = inputResponse(ctx.mcpReq.inputResponses, key)
  return answer.kind === 'roots' ? answer.roots : undefined
}

/** Asks with one form, and answers with what came back, whatever it was. */
function addForm(server: McpServer, name: string, properties: Schema['properties']): void {
  server.registerTool(name, { description: 'Asks the user with a form' }, async (ctx) => {
    const answer = inputResponse(ctx.mcpReq.inputResponses, 'form')
    if (answer.kind !== 'elicit') return inputRequired({ inputRequests: { form: form('Please fill this in', properties, []) } })
    return text(`Elicitation completed: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`)
  })
}

const DEFAULTS: Schema['properties'] = {
  name: { type: 'string', default: 'John Doe' },
  age: { type: 'integer', default: 30 },
  score: { type: 'number', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', default: true },
}
const titled = (noun: string) =>
  ['First', 'Second', 'Third'].map((each, index) => ({ const: `value${index + 1}`, title: `${each} ${noun}` }))
const OPTIONS = ['option1', 'option2', 'option3']
const ENUMS: Schema['properties'] = {
  untitledSingle: { type: 'string', enum: OPTIONS },
  titledSingle: { type: 'string', oneOf: titled('Option') },
  legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['Option One', 'Option Two', 'Option Three'] },
  untitledMulti: { type: 'array', minItems: 1, maxItems: 3, items: { type: 'string', enum: OPTIONS } },
  titledMulti: { type: 'array', minItems: 1, maxItems: 3, items: { anyOf: titled('Choice') } },
}

/** What 2025-11-25 asks by requests of its own. */
export function addAskingTools(server: McpServer): void {
  server.registerTool(
    'test_sampling',
    { description: 'Asks the model', inputSchema: z.object({ prompt: z.string() }) },
    async ({ prompt }, ctx) => {
      const answer = said(ctx, 'answer')
      return answer === undefined ? inputRequired({ inputRequests: { answer: question(prompt) } }) : text(`LLM response: ${answer}`)
    },
  )
  server.registerTool(
    'test_elicitation',
    { description: 'Asks the user', inputSchema: z.object({ message: z.string() }) },
    async ({ message }, ctx) => {
      const answer = inputResponse(ctx.mcpReq.inputResponses, 'user')
      if (answer.kind === 'elicit') return text(`User response: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`)
      return inputRequired({ inputRequests: { user: form(message, { username: { type: 'string' }, email: { type: 'string' } }) } })
    },
  )
  addForm(server, 'test_elicitation_sep1034_defaults', DEFAULTS)
  addForm(server, 'test_elicitation_sep1330_enums', ENUMS)
}

/** What 2026-07-28 asks with a result (SEP-2322). */
export function addInputRequiredTools(server: McpServer, world: World): void {
  const add = (name: string, handle: ToolCallback) =>
    server.registerTool(`test_input_required_result_${name}`, { description: `Needs input: ${name}` }, handle)
  const state = (payload: Record<string, unknown>) => world.states.mint({ ...payload, nonce: crypto.randomUUID() })

  add('elicitation', async (ctx) => {
    const name = stringOf(accepted(ctx, 'user_name')?.['name'])
    return name === undefined ? inputRequired({ inputRequests: { user_name: NAME } }) : text(`Hello, ${name}!`)
  })
  add('sampling', async (ctx) => {
    const answer = said(ctx, 'capital_question')
    if (answer !== undefined) return text(answer)
    return inputRequired({ inputRequests: { capital_question: question('What is the capital of France?') } })
  })
  add('list_roots', async (ctx) => {
    const roots = rootsOf(ctx, 'client_roots')
    if (roots === undefined) return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } })
    return text(roots.map(({ uri }) => uri).join(', '))
  })
  for (const name of ['request_state', 'tampered_state'])
    add(name, async (ctx) => {
      if (accepted(ctx, 'confirm') === undefined)
        return inputRequired({ inputRequests: { confirm: CONFIRM }, requestState: await state({ of: name }) })
      if (ctx.mcpReq.requestState<{ of: string }>()?.of !== name) throw new ProtocolError(-32602, 'The state is missing.')
      return text('state-ok')
    })
  add('multiple_inputs', async (ctx) => {
    const [name, greeting, roots] = [stringOf(accepted(ctx, 'user_name')?.['name']), said(ctx, 'greeting'), rootsOf(ctx, 'client_roots')]
    if (name !== undefined && greeting !== undefined && roots !== undefined) return text(`${greeting} ${name}, of ${roots.length} root(s)`)
    const inputRequests = { user_name: NAME, greeting: question('Generate a greeting', 50), client_roots: inputRequired.listRoots() }
    return inputRequired({ inputRequests, requestState: await state({ of: 'multiple_inputs' }) })
  })
  add('multi_round', async (ctx) => {
    const before = ctx.mcpReq.requestState<{ round?: number; name?: string }>()
    if (before?.round === 2) return text(`${before.name} likes ${stringOf(accepted(ctx, 'step2')?.['color'])}`)
    const name = before?.round === 1 ? stringOf(accepted(ctx, 'step1')?.['name']) : undefined
    if (name === undefined)
      return inputRequired({
        inputRequests: { step1: form('Step 1: What is your name?', { name: { type: 'string' } }) },
        requestState: await state({ round: 1 }),
      })
    return inputRequired({
      inputRequests: { step2: form('Step 2: What is your favorite color?', { color: { type: 'string' } }) },
      requestState: await state({ round: 2, name }),
    })
  })
  add('capabilities', async (ctx) => {
    if (ctx.mcpReq.inputResponses !== undefined) return text('Asked for what the client can do.')
    const can = declared(ctx) ?? server.server.getClientCapabilities()
    const inputRequests: InputRequests = {
      ...(can?.elicitation && { user_name: NAME }),
      ...(can?.sampling && { greeting: question('Generate a greeting', 50) }),
    }
    return Object.keys(inputRequests).length > 0 ? inputRequired({ inputRequests }) : text('The client can do nothing.')
  })
  server.registerTool('test_missing_capability', { description: 'Cannot do without the model of the client' }, async (ctx) => {
    const answer = said(ctx, 'answer')
    return answer === undefined ? inputRequired({ inputRequests: { answer: question('Say pong', 16) } }) : text(answer)
  })
}

export const askForContext = (ctx: ServerContext) => {
  const context = stringOf(accepted(ctx, 'user_context')?.['context'])
  if (context !== undefined)
    return { messages: [{ role: 'user' as const, content: { type: 'text' as const, text: `Use this: ${context}` } }] }
  return inputRequired({ inputRequests: { user_context: form('What context should the prompt use?', { context: { type: 'string' } }) } })
}
