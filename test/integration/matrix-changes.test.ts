/** What an app is told of without asking, in every combination of revisions and transports: resources that change, lists that change. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type App, textOf } from '../support/matrix/apps.ts'
import { CELLS, type Cell, type Cells, openCells, type Row } from '../support/matrix/cells.ts'
import { startLegacyUpstream } from '../support/matrix/legacy-upstream.ts'
import { startModernUpstream } from '../support/matrix/modern-upstream.ts'
import { eventually } from '../support/outside.ts'
import { overHttp } from '../support/matrix/house.ts'

/** As soon as a list has changed its apps hear of it. */
const SOON_MS = 1_000
/** Long enough for a second notice, where there were one. */
const QUIET_MS = 200
const CHANGING: Record<string, string> = { tools: 'sometimes', prompts: 'at_times', resources: 'sometimes' }

let cells: Cells
beforeAll(async () => {
  cells = await openCells()
})
afterAll(async () => {
  expect(cells.house.faults).toEqual([])
  await cells.close()
})

const heardOf = ({ heard }: App, method: string) => heard.filter((each) => each.method === `notifications/${method}`)
/** Told within the time, and once. */
async function demandOnce(app: App, methods: string[], before = 0): Promise<void> {
  const times = () => Object.fromEntries(methods.map((method) => [method, heardOf(app, method).length]))
  const once = Object.fromEntries(methods.map((method) => [method, before + 1]))
  await eventually(() => Bun.deepEquals(times(), once), SOON_MS)
  expect(times()).toEqual(once)
  await Bun.sleep(QUIET_MS)
  expect(times()).toEqual(once)
}
/** An app whose ear is open; a legacy one opens its stream by itself, a moment after it was connected. */
async function listening(cell: Cell): Promise<App> {
  const app = await cells.fresh(cell)
  await app.listen()
  await Bun.sleep(150)
  return app
}

const ROWS: readonly Row[] = [
  {
    says: '[GATEWAY-SUBSCRIBE] an app hears that a resource has changed which it watches, of no other one, and not after it stopped',
    async run(cell) {
      const app = await listening(cell)
      const control = await cells.app(cell)
      const stop = await app.watch('test://one')
      await Bun.sleep(150)
      await control.call({ name: 'update', arguments: { uri: 'test://two' } })
      await control.call({ name: 'update', arguments: { uri: 'test://one' } })
      expect(await eventually(() => heardOf(app, 'resources/updated').length > 0, SOON_MS)).toBe(true)
      expect(heardOf(app, 'resources/updated').map(({ params }) => params['uri'])).toEqual(['test://one'])
      await stop()
      await Bun.sleep(100)
      await control.call({ name: 'update', arguments: { uri: 'test://one' } })
      await Bun.sleep(150)
      expect(heardOf(app, 'resources/updated').length).toBe(1)
      if (cell.upstream === 'legacy') {
        const seen = JSON.parse(textOf(await control.call({ name: 'seen' }))) as Record<string, string[]>
        expect([seen['subscribed'], seen['unsubscribed']].map((uris) => uris?.at(-1))).toEqual(['test://one', 'test://one'])
      }
      await app.close()
    },
  },
  {
    says: '[GATEWAY-CHANGES] a list that changes at its server is told of within a second, once, and reads anew',
    async run(cell) {
      const app = await listening(cell)
      const control = await cells.app(cell)
      const lists = {
        tools: async () => (await app.tools()).tools.map(({ name }) => name),
        prompts: async () => (await app.client.listPrompts(undefined, { cacheMode: 'refresh' } as never)).prompts.map(({ name }) => name),
        resources: async () =>
          (await app.client.listResources(undefined, { cacheMode: 'refresh' } as never)).resources.map(({ name }) => name),
      }
      const all = Object.entries(lists)
      const change = async () => {
        for (const [what] of all) await control.call({ name: 'change', arguments: { what } })
      }
      await change()
      await demandOnce(
        app,
        all.map(([what]) => `${what}/list_changed`),
      )
      for (const [what, list] of all)
        expect({ what, list: await list() }).toEqual({ what, list: expect.not.arrayContaining([CHANGING[what]]) })
      await change()
      for (const [what, list] of all)
        expect([what, await eventually(async () => (await list()).includes(CHANGING[what] ?? ''))]).toEqual([what, true])
      await app.close()
    },
  },
  {
    says: '[GATEWAY-CHANGES] a tool that is refused or allowed at the grant is told of within a second, once, and to that app alone',
    async run(cell, { house, of }) {
      const { admitted, ids } = of(cell)
      const stranger = await house.admit({ title: `Beside ${cell.title}`.slice(0, 60) }, [ids['echo'] as never])
      const [app, other] = await Promise.all([listening(cell), cells.connect(cell.app, stranger)])
      await other.listen()
      const permit = (permission: 'allow' | 'refuse') =>
        house.rooms.grants.permit(house.user, admitted.grantId, ids['echo'] as never, permission)
      await permit('refuse')
      await demandOnce(app, ['tools/list_changed'])
      expect((await app.tools()).tools.map(({ name }) => name)).not.toContain('echo')
      await permit('allow')
      await demandOnce(app, ['tools/list_changed'], 1)
      expect((await app.tools()).tools.map(({ name }) => name)).toContain('echo')
      expect(heardOf(other, 'tools/list_changed')).toEqual([])
      await Promise.all([app.close(), other.close()])
    },
  },
]

// Each row waits most of the time, so those of different servers run side by side.
describe.each([...CELLS])('$title', (cell) => {
  test.concurrent.each(ROWS)('$says', ({ run }) => cells.alone(cell, () => run(cell, cells)))
})

describe.each(CELLS.filter(({ transport }) => transport === 'http'))('$title', (cell) => {
  test.concurrent('[GATEWAY-CHANGES] a server that comes back with other tools is noticed by those who listen', async () => {
    const start = cell.upstream === 'legacy' ? startLegacyUpstream : startModernUpstream
    const first = start()
    const { house } = cells
    const title = `Back ${cell.app} ${cell.upstream}`
    const ids = await house.listed(await house.addConnection(title, overHttp(first.url)))
    const app = await cells.connect(cell.app, await house.admit({ title }, Object.values(ids)))
    await app.listen()
    await Bun.sleep(150)
    await first.stop()
    const second = start({ port: first.port })
    second.world.change('tools')
    expect(await eventually(() => heardOf(app, 'tools/list_changed').length > 0, 4_000)).toBe(true)
    expect((await app.tools()).tools.map(({ name }) => name)).not.toContain('sometimes')
    await app.close()
    await second.stop()
  })
})
