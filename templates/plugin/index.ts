import { type Channel, type ConnectorContext, defineConnector, definePlugin, type JsonObject, z } from 'toolpass/plugin'

// The form on the page where a connection is added. A field with `.meta({ secret: true })` is sealed and never shown again.
const settings = z.object({
  sides: z.number().int().min(2).max(100).default(6).meta({ title: 'Sides', description: 'How many sides each die has.' }),
})

const Roll = z.object({ count: z.number().int().min(1).max(20).default(1).describe('How many dice.') })
const ROLL = {
  name: 'roll',
  title: 'Roll dice',
  description: 'Rolls dice and returns what each of them shows.',
  inputSchema: z.toJSONSchema(Roll, { io: 'input' }),
  annotations: { readOnlyHint: true },
}

const throwDie = (sides: number) => 1 + Math.floor(Math.random() * sides)

/** The answers of a small MCP server of revision 2026-07-28. */
function answer(method: string, params: JsonObject, sides: number): JsonObject | undefined {
  switch (method) {
    case 'server/discover':
      return { supportedVersions: ['2026-07-28'], capabilities: { tools: {} }, serverInfo: { name: 'dice', version: '1.0.0' } }
    case 'tools/list':
      return { tools: [ROLL] }
    case 'tools/call': {
      if (params['name'] !== ROLL.name) return undefined
      const asked = Roll.safeParse(params['arguments'] ?? {})
      if (!asked.success) return { isError: true, content: [{ type: 'text', text: 'count must be a number from 1 to 20.' }] }
      const thrown = Array.from({ length: asked.data.count }, () => throwDie(sides))
      return { content: [{ type: 'text', text: thrown.join(', ') }] }
    }
    default:
      return undefined
  }
}

/** A channel carries messages. This one answers by itself; others pass them on with `context.fetch` or `context.spawn`. */
async function open({ settings: { sides }, log }: ConnectorContext<z.output<typeof settings>>): Promise<Channel> {
  log(`The dice have ${sides} sides.`)
  return {
    shared: false,
    async request({ id, method, params = {} }) {
      const result = answer(method, params, sides)
      return result
        ? { jsonrpc: '2.0', id, result }
        : { jsonrpc: '2.0', id, error: { code: -32601, message: `There is no ${method} here.` } }
    },
    async notify() {},
    async respond() {},
    async close() {},
  }
}

const dice = defineConnector({
  id: 'dice',
  title: 'Dice',
  description: 'Throws dice.',
  settings,
  definedBy: 'anyone',
  summary: ({ sides = 6 }) => `dice with ${sides} sides`,
  open,
})

export default definePlugin({ id: 'dice', version: '1.0.0', title: 'Dice', connectors: [dice] })
