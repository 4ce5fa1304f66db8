/**
 * One definition of the server that the conformance tool asks for, for either era and each transport. It offers what the
 * scenarios name, and answers as they say: https://github.com/modelcontextprotocol/conformance
 */
import { McpServer, type McpRequestContext } from '@modelcontextprotocol/server'
import { memorySkillFiles, SkillsExtension } from '@modelcontextprotocol/server/ext/skills'
import { addAskingTools, addInputRequiredTools } from './asking.ts'
import { addContentTools, text } from './content.ts'
import { addPrompts, addResources, addSubscriptions } from './offering.ts'
import { addTaskMethods, addTaskTools, refuseWithoutTasks } from './tasks.ts'
import type { World } from './world.ts'

const GREETING = '---\nname: greeting\ndescription: How to greet people\n---\n\n# Greeting\n\nSay hello, and see references/tone.md.\n'
const FAREWELL = '---\nname: farewell\ndescription: How to part from people\n---\n\n# Farewell\n\nSay goodbye.\n'
const skills = await SkillsExtension.load(
  memorySkillFiles({
    'greeting/SKILL.md': GREETING,
    'greeting/references/tone.md': 'Be warm.\n',
    'farewell/SKILL.md': FAREWELL,
    'farewell/references/tone.md': 'Be brief.\n',
  }),
)

/** @param kept whether the instance outlives a request, and so has to tell of changes itself */
export function createConformanceServer(world: World, era: McpRequestContext['era'], kept: boolean): McpServer {
  const server = new McpServer({ name: 'conformance', version: '1.0.0' }, { requestState: { verify: world.states.verify } })
  refuseWithoutTasks(server)
  const changing = { listChanged: true }
  server.server.registerCapabilities({
    tools: changing,
    prompts: changing,
    resources: { ...changing, subscribe: true },
    logging: {},
    completions: {},
  })
  addContentTools(server, world)
  addAskingTools(server)
  addInputRequiredTools(server, world)
  addTaskTools(server, world.tasks)
  addResources(server)
  addPrompts(server)
  addSubscriptions(server)
  if (era === 'modern') {
    addTaskMethods(server, world.tasks)
    skills.attach(server)
  }
  addChanging(server, world, kept)
  return server
}

function addChanging(server: McpServer, world: World, kept: boolean): void {
  const tool = server.registerTool('test_dynamic_tool', { description: 'Comes and goes' }, async () => text('Here.'))
  const prompt = server.registerPrompt('test_dynamic_prompt', { description: 'Comes and goes' }, async () => ({
    messages: [{ role: 'user', content: { type: 'text', text: 'Here.' } }],
  }))
  const follow = () => {
    if (tool.enabled !== world.offered.tools) tool.update({ enabled: world.offered.tools })
    if (prompt.enabled !== world.offered.prompts) prompt.update({ enabled: world.offered.prompts })
  }
  follow()
  if (!kept) return
  const stop = world.onChange(follow)
  const { onclose } = server.server
  server.server.onclose = () => (stop(), onclose?.())
}
