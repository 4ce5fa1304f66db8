/** What an app sees of a server through the house, in every combination of revisions and transports: one row a behaviour. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type App, type Json, refusalOf, textOf } from '../support/matrix/apps.ts'
import { CELLS, type Cell, type Cells, openCells, type Row } from '../support/matrix/cells.ts'
import { createWorld, PIXEL } from '../support/matrix/world.ts'
import { eventually } from '../support/outside.ts'

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
let cells: Cells
beforeAll(async () => {
  cells = await openCells()
})
afterAll(async () => {
  expect(cells.house.faults).toEqual([])
  await cells.close()
})

const names = (found: unknown, key = 'name') => (found as Json[]).map((each) => each[key])
const seenOf = async (app: App) => JSON.parse(textOf(await app.call({ name: 'seen' }))) as Record<string, string[]>
const lastAudited = async (cell: Cell) => {
  const { audit } = cells.house.rooms
  await audit.flush()
  return (await audit.list({ grantId: cells.of(cell).admitted.grantId, limit: 1 }))[0]
}

const CALLS: readonly Row[] = [
  {
    says: '[GATEWAY-BRIDGE] all pages of the server’s tools are listed, with their schemas and icons',
    async run(cell, { app }) {
      const { tools } = await (await app(cell)).tools()
      expect(names(tools)).toEqual([
        ...createWorld()
          .tools()
          .slice(0, -1)
          .map(({ name }) => name),
        'job',
        'sometimes',
      ])
      expect(tools.find(({ name }) => name === 'sum')).toMatchObject({
        outputSchema: { type: 'object', required: ['sum'] },
        icons: [{ src: 'data:image/png;base64,AAAA' }],
      })
    },
  },
  {
    says: '[GATEWAY-BRIDGE] a cursor that is none of ours is -32602 for every list',
    async run(cell, { app }) {
      for (const method of ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'])
        expect((await refusalOf((await app(cell)).request(method, { cursor: '6' }))).code).toBe(-32_602)
    },
  },
  {
    says: '[GATEWAY-BRIDGE] text comes back as it was sent',
    async run(cell, { app }) {
      const message = 'naïve “quotes” 🙂 \u0001 </script>'
      expect(textOf(await (await app(cell)).call({ name: 'echo', arguments: { message } }))).toBe(message)
    },
  },
  {
    says: '[GATEWAY-BRIDGE] a picture and structured content come back whole',
    async run(cell, { app }) {
      expect((await (await app(cell)).call({ name: 'image' }))['content']).toEqual([{ type: 'image', data: PIXEL, mimeType: 'image/png' }])
      expect((await (await app(cell)).call({ name: 'sum' }))['structuredContent']).toEqual({ sum: 3 })
    },
  },
  {
    says: '[GATEWAY-BRIDGE] a tool that failed is a result with isError, one that the server refuses an error with its code and data',
    async run(cell, { app }) {
      const failed = await (await app(cell)).call({ name: 'fail' })
      expect([failed['isError'], textOf(failed)]).toEqual([true, 'It went wrong.'])
      const refused = await refusalOf((await app(cell)).call({ name: 'refuse' }))
      expect(refused).toMatchObject({ code: -32_050, data: { rule: 7 } })
      expect(refused.message).toContain('refused by rule')
    },
  },
  {
    says: '[GATEWAY-BRIDGE] progress comes under the app’s own token, and without one there is none',
    async run(cell, { app }) {
      const heard: unknown[] = []
      await (await app(cell)).call({ name: 'progress' }, { onprogress: (progress) => void heard.push(progress) })
      expect(heard).toEqual([1, 2, 3].map((progress) => ({ progress, total: 3, message: `step ${progress}` })))
      expect(textOf(await (await app(cell)).call({ name: 'progress' }))).toBe('Done.')
      expect(heard.length).toBe(3)
    },
  },
  {
    says: '[GATEWAY-BRIDGE] remarks come from the level on that the app asked for, and none without one',
    async run(cell, { fresh }) {
      const app = await fresh(cell)
      await app.call({ name: 'log' })
      expect(app.heard.filter(({ method }) => method === 'notifications/message')).toEqual([])
      const _meta = await app.setLevel('info')
      await app.call({ name: 'log', _meta })
      await eventually(() => app.heard.length >= 2)
      const heard = app.heard.map(({ params: { level, data, logger } }) => ({ level, data, logger }))
      expect(heard).toEqual(['info', 'error'].map((level) => ({ level, data: `a remark of ${level}`, logger: 'upstream' })))
      await app.close()
    },
  },
]

const READING: readonly Row[] = [
  {
    says: '[GATEWAY-BRIDGE] prompts are listed and got with their arguments; one that is not there is -32602',
    async run(cell, { app }) {
      const { client } = await app(cell)
      const { prompts } = await client.listPrompts()
      expect(names(prompts)).toEqual(['greeting', 'farewell', 'at_times'])
      const got = await client.getPrompt({ name: 'greeting', arguments: { city: 'Pisa' } })
      expect(got).toMatchObject({
        description: 'The prompt greeting',
        messages: [{ role: 'user', content: { text: 'greeting from Pisa' } }],
      })
      expect((await refusalOf(client.getPrompt({ name: 'none' }))).code).toBe(-32_602)
    },
  },
  {
    says: '[GATEWAY-BRIDGE] resources and templates are listed, and read by address and by template',
    async run(cell, { app }) {
      const { client } = await app(cell)
      expect(names((await client.listResources()).resources, 'uri')).toEqual(['test://one', 'test://two', 'test://sometimes'])
      expect(names((await client.listResourceTemplates()).resourceTemplates, 'uriTemplate')).toEqual(['test://rooms/{room}'])
      for (const uri of ['test://one', 'test://rooms/7'])
        expect((await client.readResource({ uri })).contents).toEqual([{ uri, mimeType: 'text/plain', text: `This is ${uri}` }])
    },
  },
  {
    says: '[GATEWAY-BRIDGE] a resource that is not there is -32002 for a legacy app and -32602 for a modern one, with its address',
    async run(cell, { app }) {
      // One that no server could have, and one that the server itself does not know.
      for (const uri of ['other://none', 'test://none']) {
        const { code, data } = await refusalOf((await app(cell)).client.readResource({ uri }))
        expect(data).toEqual({ uri })
        expect({ uri, code }).toEqual({ uri, code: cell.app === 'modern' ? -32_602 : -32_002 })
      }
    },
  },
  {
    says: '[GATEWAY-BRIDGE] arguments of prompts and templates are completed by the server',
    async run(cell, { app }) {
      const { client } = await app(cell)
      const refs = [
        { type: 'ref/prompt' as const, name: 'greeting' },
        { type: 'ref/resource' as const, uri: 'test://rooms/{room}' },
      ]
      for (const ref of refs)
        expect((await client.complete({ ref, argument: { name: 'city', value: 'Pa' } })).completion).toMatchObject({
          values: ['Paris', 'Parma'],
          total: 3,
        })
      const { code } = await refusalOf(
        client.complete({ ref: { type: 'ref/prompt', name: 'none' }, argument: { name: 'city', value: '' } }),
      )
      expect(code).toBe(-32_602)
    },
  },
  {
    says: '[GATEWAY-BRIDGE] the trace and foreign metadata pass, reserved metadata does not',
    async run(cell, { app }) {
      const _meta = { traceparent: TRACE, tracestate: 'a=b', 'example.com/own': 'kept', 'io.modelcontextprotocol/subscriptionId': 'mine' }
      const seen = JSON.parse(textOf(await (await app(cell)).call({ name: 'meta', _meta }))) as Json
      expect(seen).toMatchObject({ traceparent: TRACE, tracestate: 'a=b', 'example.com/own': 'kept' })
      expect(seen['io.modelcontextprotocol/subscriptionId']).toBeUndefined()
      const reserved = Object.keys(seen).filter((name) => name.startsWith('io.modelcontextprotocol/'))
      // A modern server is told who the app is and what it can do; a legacy one knows no such thing.
      if (cell.upstream === 'legacy') expect(reserved).toEqual([])
      else expect(seen['io.modelcontextprotocol/clientInfo']).toMatchObject({ name: `${cell.app}-app` })
      expect(await lastAudited(cell)).toMatchObject({ traceId: TRACE.slice(3, 35) })
    },
  },
  {
    says: '[GATEWAY-BRIDGE] name, icon and instructions are the profile’s, never the server’s',
    async run(cell, { app }) {
      const { client } = await app(cell)
      const title = `${cell.upstream} ${cell.transport}`
      expect(client.getServerVersion()).toMatchObject({ name: `toolpass-${title.replace(' ', '-')}`, title, icons: [expect.any(Object)] })
      expect(client.getInstructions()).toBe('Of the profile.')
      const result = await (await app(cell)).call({ name: 'echo' })
      expect(JSON.stringify([result, client.getServerVersion()])).not.toContain('upstream')
    },
  },
]

/** After all others: for a while after it, what a server with one pipe says to nobody in particular reaches no other app. */
const GIVING_UP: readonly Row[] = [
  {
    says: '[GATEWAY-BRIDGE] a call that its app gives up ends at the server, and is recorded as cancelled',
    async run(cell, { app }) {
      const before = (await seenOf(await app(cell)))['cancelled']?.length ?? 0
      const ending = new AbortController()
      const call = refusalOf((await app(cell)).call({ name: 'forever' }, { signal: ending.signal }))
      await Bun.sleep(120)
      ending.abort()
      expect((await call).message).not.toContain('was answered')
      expect(await eventually(async () => (await seenOf(await app(cell)))['cancelled']?.length === before + 1)).toBe(true)
      const { audit } = cells.house.rooms
      await audit.flush()
      const rows = await audit.list({ grantId: cells.of(cell).admitted.grantId, limit: 50 })
      expect(rows.find(({ subject }) => subject === 'forever')?.outcome).toBe('cancelled')
    },
  },
]

describe.each([...CELLS])('$title', (cell) => {
  test.each([...CALLS, ...READING])('$says', ({ run }) => run(cell, cells))
})
describe.each([...CELLS])('$title', (cell) => {
  test.each([...GIVING_UP])('$says', ({ run }) => run(cell, cells))
})
