/** The resources, prompts and completions. */
import { completable, type McpServer, ResourceTemplate, type ServerContext } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { askForContext } from './asking.ts'
import { PIXEL } from './content.ts'

const RESOURCES = [
  { name: 'static-text', mimeType: 'text/plain', text: 'This is the content of the static text resource.' },
  { name: 'static-binary', mimeType: 'image/png', blob: PIXEL },
  { name: 'watched-resource', mimeType: 'text/plain', text: 'Watched resource content' },
]

export function addResources(server: McpServer): void {
  for (const { name, mimeType, ...body } of RESOURCES) {
    const uri = `test://${name}`
    const contents = [{ uri, mimeType, ...body } as { uri: string; mimeType: string; text: string }]
    server.registerResource(name, uri, { description: `The resource ${name}`, mimeType }, async () => ({ contents }))
  }
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined })
  server.registerResource(
    'template',
    template,
    { description: 'Any number of resources', mimeType: 'application/json' },
    async ({ href }, { id }) => ({
      contents: [{ uri: href, mimeType: 'application/json', text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) }],
    }),
  )
}

/** What 2025-11-25 has as requests; the later revision's subscriptions are the transport's. */
export function addSubscriptions({ server }: McpServer): void {
  const subscribed = new Set<string>()
  server.setRequestHandler('resources/subscribe', async ({ params }) => (subscribed.add(params.uri), {}))
  server.setRequestHandler('resources/unsubscribe', async ({ params }) => (subscribed.delete(params.uri), {}))
}

const saying = (said: string) => ({ role: 'user' as const, content: { type: 'text' as const, text: said } })

export function addPrompts(server: McpServer): void {
  server.registerPrompt('test_simple_prompt', { description: 'A prompt without arguments' }, async () => ({
    messages: [saying('This is a simple prompt for testing.')],
  }))
  const guesses = ['paris', 'park', 'party', 'test']
  const arg1 = completable(z.string().describe('First test argument'), (typed) => guesses.filter((each) => each.startsWith(typed)))
  server.registerPrompt(
    'test_prompt_with_arguments',
    { description: 'A prompt with two arguments', argsSchema: z.object({ arg1, arg2: z.string().describe('Second test argument') }) },
    async (given) => ({ messages: [saying(`Prompt with arguments: arg1='${given.arg1}', arg2='${given.arg2}'`)] }),
  )
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'A prompt with a resource in it', argsSchema: z.object({ resourceUri: z.string() }) },
    async ({ resourceUri }) => {
      const resource = { uri: resourceUri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' }
      return {
        messages: [
          { role: 'user' as const, content: { type: 'resource' as const, resource } },
          saying('Please process the embedded resource above.'),
        ],
      }
    },
  )
  server.registerPrompt('test_prompt_with_image', { description: 'A prompt with a picture in it' }, async () => ({
    messages: [
      { role: 'user' as const, content: { type: 'image' as const, data: PIXEL, mimeType: 'image/png' } },
      saying('Please analyze the image above.'),
    ],
  }))
  server.registerPrompt(
    'test_input_required_result_prompt',
    { description: 'A prompt that asks before it answers' },
    // Without arguments the context comes first, which the types do not know.
    async (ctx: unknown) => askForContext(ctx as ServerContext),
  )
}
