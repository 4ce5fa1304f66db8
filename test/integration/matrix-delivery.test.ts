/** How a profile serves what it holds: through search, with tools adjusted, and with names and addresses that two servers share. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { ConnectionId, ToolId } from '@/lib/ids.ts'
import { type App, connect, type Era, type Json, refusalOf, textOf } from '../support/matrix/apps.ts'
import { eventually } from '../support/outside.ts'
import { type Admitted, type MatrixHouse, openMatrixHouse, overHttp } from '../support/matrix/house.ts'
import { startSayingUpstream, tool } from '../support/matrix/saying-upstream.ts'

const ERAS: readonly Era[] = ['legacy', 'modern']
const OWN = ['find_tools', 'describe_tool', 'call_tool']
const SHARED = 'doc://shared/readme'
const offices = startSayingUpstream(
  'one',
  [
    tool('forecast', 'Tells the weather of the coming days'),
    tool('send_mail', 'Sends a letter to somebody'),
    tool('archive', 'Puts letters of the past away'),
    tool('shred', 'Destroys letters for ever'),
    tool('audit', 'Reads what letters were sent'),
  ],
  [SHARED, 'doc://one/only'],
)
const others = startSayingUpstream('two', [tool('forecast', 'Another weather'), tool('translate', 'Translates')], [SHARED])
let house: MatrixHouse
let ids: Record<string, ToolId>
let otherIds: Record<string, ToolId>
let officesId: ConnectionId
beforeAll(async () => {
  house = await openMatrixHouse({ approvalWaitMs: 200 })
  officesId = await house.addConnection('One', overHttp(offices.url))
  ids = await house.listed(officesId)
  otherIds = await house.listed(await house.addConnection('Two', overHttp(others.url)))
})
afterAll(async () => {
  expect(house.faults).toEqual([])
  await house.close()
  await Promise.all([offices.stop(), others.stop()])
})

const idOf = (name: string): ToolId => ids[name] ?? (`no ${name}` as ToolId)
const namesIn = (found: unknown) => (found as Json[]).map(({ name }) => name)
const lastRow = async ({ grantId }: Admitted) => {
  const { audit } = house.rooms
  await audit.flush()
  return (await audit.list({ grantId, limit: 1 }))[0]
}

describe.each(ERAS)('a %s app of a profile that is served through search', (era) => {
  let where: Admitted
  let app: App
  const find = async (query: string) =>
    namesIn(((await app.call({ name: 'find_tools', arguments: { query } }))['structuredContent'] as Json)['tools'])
  const through = (name: string, given: Json = {}) => app.call({ name: 'call_tool', arguments: { name, arguments: given } })
  beforeAll(async () => {
    const { profiles, grants } = house.rooms
    const wanted = ['forecast', 'send_mail', 'archive', 'shred'].map(idOf)
    where = await house.admit({ title: `Search ${era}`, delivery: 'search' }, wanted)
    await profiles.adjustTool(house.user, where.profileId, idOf('forecast'), { override: {}, isPinned: true })
    await grants.permit(house.user, where.grantId, idOf('shred'), 'refuse')
    app = await connect(era, where)
  })
  afterAll(() => app.close())

  test('[GATEWAY-SEARCH] lists the three tools and what is pinned, the same each time', async () => {
    const first = await app.tools()
    expect(namesIn(first.tools)).toEqual([...OWN, 'forecast'])
    expect((await app.tools()).tools).toEqual(first.tools)
  })
  test('[GATEWAY-SEARCH] finds by what tools do, the best match first, describes one whole and calls it', async () => {
    expect((await find('send a letter'))[0]).toBe('send_mail')
    expect((await find('weather'))[0]).toBe('forecast')
    const described = (await app.call({ name: 'describe_tool', arguments: { name: 'send_mail' } }))['structuredContent'] as Json
    expect(described).toMatchObject({ name: 'send_mail', inputSchema: { required: ['query', 'region'] } })
    const given = { query: 'hello', region: 'north' }
    expect(JSON.parse(textOf(await through('send_mail', given)))).toEqual({ whose: 'one', name: 'send_mail', given })
    expect(await lastRow(where)).toMatchObject({ action: 'tools/call', subject: 'send_mail', outcome: 'ok' })
    expect(JSON.parse(textOf(await app.call({ name: 'forecast', arguments: given })))).toMatchObject({ name: 'forecast' })
  })
  test('[GATEWAY-SEARCH] neither finds, describes nor calls what is not granted, and cannot tell it from what is not there', async () => {
    expect(await find('destroys letters for ever')).not.toContain('shred')
    const before = offices.calls.length
    const asRefused = async (name: string) => {
      const described = await refusalOf(app.call({ name: 'describe_tool', arguments: { name } }))
      const called = await refusalOf(through(name))
      const row = await lastRow(where)
      const directly = await refusalOf(app.call({ name }))
      return JSON.parse(
        JSON.stringify({ described, called, directly, row: { outcome: row?.outcome, reason: row?.reason } }).replaceAll(name, 'NAME'),
      ) as Json
    }
    const refused = await asRefused('shred')
    expect(refused).toMatchObject({
      called: { code: -32_602 },
      directly: { code: -32_602 },
      row: { outcome: 'refused', reason: 'tool_not_granted' },
    })
    expect(await asRefused('none_such')).toEqual(refused)
    // In no profile of theirs, though its server has it.
    expect(await asRefused('audit')).toEqual(refused)
    expect(offices.calls.length).toBe(before)
  })
  test('[GATEWAY-SEARCH] what is to be asked about first, and what its server has changed, waits behind call_tool too', async () => {
    const { grants, connections, profiles } = house.rooms
    const before = offices.calls.length
    await grants.permit(house.user, where.grantId, idOf('archive'), 'ask')
    const asked = await through('archive')
    expect([asked['isError'], textOf(asked).startsWith('Waiting for approval')]).toEqual([true, true])
    expect(await lastRow(where)).toMatchObject({ subject: 'archive', outcome: 'refused', reason: 'needs_approval' })

    const changing = offices.tools[1] as { description: string }
    const { description } = changing
    changing.description = `${description}, and to a stranger in ${era}`
    await connections.check(house.user, officesId)
    await connections.waitForProbe(officesId)
    expect(await find('letter')).not.toContain('send_mail')
    expect((await refusalOf(app.call({ name: 'describe_tool', arguments: { name: 'send_mail' } }))).code).toBe(-32_602)
    const held = await through('send_mail')
    expect([held['isError'], textOf(held).includes('changed this tool')]).toEqual([true, true])
    expect(await lastRow(where)).toMatchObject({ subject: 'send_mail', outcome: 'refused', reason: 'definition_changed' })
    expect(offices.calls.length).toBe(before)
    changing.description = description
    await connections.check(house.user, officesId)
    await connections.waitForProbe(officesId)
    expect(await find('letter')).toContain('send_mail')
    expect((await profiles.view(where.profileId)).heldBack).toEqual([])
  })
})

describe.each(ERAS)('a %s app of a profile with an adjusted tool', (era) => {
  test.each(['whole', 'search'] as const)(
    '[GATEWAY-OVERRIDE] sees its name, words and arguments, and cannot undo what is fixed: served as %s',
    async (delivery) => {
      const { profiles } = house.rooms
      const where = await house.admit({ title: `Adjusted ${era} ${delivery}`, delivery }, [idOf('forecast'), idOf('archive')])
      const override = {
        name: 'weather',
        title: 'The weather',
        description: 'Ask for the weather here.',
        defaults: { units: 'metric' },
        fixed: { region: 'north' },
      }
      await profiles.adjustTool(house.user, where.profileId, idOf('forecast'), { override, isPinned: true })
      const app = await connect(era, where)
      const seen = (await app.tools()).tools.find(({ name }) => name === 'weather')
      expect(seen).toMatchObject({ title: override.title, description: override.description })
      const schema = seen?.['inputSchema'] as { properties: Json; required: string[] }
      expect([Object.keys(schema.properties), schema.required]).toEqual([['query', 'units'], ['query']])
      expect(schema.properties['units']).toEqual({ type: 'string', default: 'metric' })

      const call = async (given: Json) => {
        const params =
          delivery === 'whole'
            ? { name: 'weather', arguments: given }
            : { name: 'call_tool', arguments: { name: 'weather', arguments: given } }
        return JSON.parse(textOf(await app.call(params))) as Json
      }
      const asGot = (given: Json) => ({ whose: 'one', name: 'forecast', given })
      expect(await call({ query: 'now' })).toEqual(asGot({ units: 'metric', query: 'now', region: 'north' }))
      expect(await call({ query: 'now', units: 'other', region: 'south' })).toEqual(
        asGot({ units: 'other', query: 'now', region: 'north' }),
      )
      // Its old name is nobody's any more.
      expect((await refusalOf(app.call({ name: 'forecast', arguments: { query: 'x', region: 'y' } }))).code).toBe(-32_602)
      await app.close()
    },
  )
})

describe.each(ERAS)('a %s app of a profile that asks what calls are for', (era) => {
  test.each(['whole', 'search'] as const)(
    '[PROFILE-PURPOSE] says it in an argument that the server never sees, and need not: served as %s',
    async (delivery) => {
      const { profiles } = house.rooms
      const where = await house.admit({ title: `Purpose ${era} ${delivery}`, delivery }, [idOf('forecast')])
      const app = await connect(era, where)
      const stop = await app.listen()
      const describedNow = async () => {
        if (delivery === 'whole') return (await app.tools()).tools[0] as Json
        return (await app.call({ name: 'describe_tool', arguments: { name: 'forecast' } }))['structuredContent'] as Json
      }
      const asListed = (await app.tools()).tools
      expect(JSON.stringify(await describedNow())).not.toContain('purpose')
      const [before] = (await profiles.view(where.profileId)).tools
      const asks = { title: `Purpose ${era} ${delivery}`, description: '', naming: 'never' as const }
      await profiles.update(house.user, where.profileId, { ...asks, asksPurpose: true })
      // Found by search, the tool is described where it is asked for; the list is the same as before.
      if (delivery === 'search') expect((await app.tools()).tools).toEqual(asListed)
      const isTold = await eventually(() => app.heard.some(({ method }) => method === 'notifications/tools/list_changed'), 1_000)
      if (app.era === 'modern') expect(isTold).toBe(delivery === 'whole')

      const { inputSchema } = (await describedNow()) as { inputSchema: { properties: Json; required: string[] } }
      expect([Object.keys(inputSchema.properties), inputSchema.required]).toEqual([
        ['query', 'region', 'units', 'purpose'],
        ['query', 'region'],
      ])
      const [after] = (await profiles.view(where.profileId)).tools
      expect(after?.contextCost ?? 0).toBeGreaterThan(before?.contextCost ?? 0)

      const given = { query: 'now', region: 'north' }
      const call = async (args: Json) => {
        const params =
          delivery === 'whole'
            ? { name: 'forecast', arguments: args }
            : { name: 'call_tool', arguments: { name: 'forecast', arguments: args } }
        return JSON.parse(textOf(await app.call(params))) as Json
      }
      const asGot = { whose: 'one', name: 'forecast', given }
      expect(await call({ ...given, purpose: 'To know\nwhat to pack.' })).toEqual(asGot)
      expect(await lastRow(where)).toMatchObject({ subject: 'forecast', outcome: 'ok', purpose: 'To know what to pack.' })
      expect(await call(given)).toEqual(asGot)
      expect((await lastRow(where))?.purpose).toBeNull()
      // What is too long is cut, and what is no text says nothing; neither goes on.
      expect(await call({ ...given, purpose: 'x'.repeat(5_000) })).toEqual(asGot)
      expect((await lastRow(where))?.purpose).toHaveLength(300)
      expect(await call({ ...given, purpose: { evil: true } })).toEqual(asGot)
      expect((await lastRow(where))?.purpose).toBeNull()
      stop()
      await app.close()
    },
  )
})

describe.each(ERAS)('a %s app of a profile with two servers that have the same', (era) => {
  test('[GATEWAY-URIS] reads each resource of the same address, under the address that it asked for', async () => {
    const own = ['forecast', SHARED, 'doc://one/only'].map(idOf)
    const theirs = ['forecast', SHARED].map((name) => otherIds[name] as ToolId)
    const where = await house.admit({ title: `Both ${era}`, naming: 'always' }, [...own, ...theirs])
    const app = await connect(era, where)
    const uris = (await app.client.listResources()).resources.map(({ uri }) => uri)
    const [shared, apart] = [uris.find((uri) => uri === SHARED) ?? '', uris.find((uri) => uri !== SHARED && uri.endsWith(SHARED)) ?? '']
    expect(uris.toSorted()).toEqual([shared, apart, 'doc://one/only'].toSorted())
    const read = async (uri: string) => (await app.client.readResource({ uri })).contents
    const texts = [await read(shared), await read(apart)].map(([content]) => content as { uri: string; text: string })
    expect(texts.map(({ uri }) => uri)).toEqual([shared, apart])
    expect(texts.map(({ text }) => text).toSorted()).toEqual(['of one', 'of two'])
    expect(await read('doc://one/only')).toMatchObject([{ uri: 'doc://one/only', text: 'of one' }])
    // A link in a result leads to where it can be followed: each server's own.
    for (const name of ['one__forecast', 'two__forecast']) {
      const { content } = (await app.call({ name, arguments: { query: 'x', region: 'y' } })) as { content: { uri?: string }[] }
      const link = content.find((block) => block.uri?.endsWith(SHARED))?.uri ?? ''
      expect((await read(link)).map((each) => (each as { text: string }).text)).toEqual([`of ${name.slice(0, 3)}`])
    }
    await app.close()
  })
  test('[GATEWAY-URIS] calls tools by a prefix always, or on collision only', async () => {
    const calls = async (where: Admitted, names: string[]) => {
      const app = await connect(era, where)
      expect(namesIn((await app.tools()).tools).toSorted()).toEqual(names.toSorted())
      const said = await Promise.all(names.map((name) => app.call({ name, arguments: { query: 'x', region: 'y' } })))
      await app.close()
      return said.map((result) => JSON.parse(textOf(result)) as Json).map(({ whose, name }) => `${String(whose)} ${String(name)}`)
    }
    const whole = [idOf('forecast'), idOf('archive'), otherIds['forecast'] as ToolId, otherIds['translate'] as ToolId]
    const always = await house.admit({ title: `Always ${era}`, naming: 'always' }, whole)
    expect(await calls(always, ['one__forecast', 'one__archive', 'two__forecast', 'two__translate'])).toEqual([
      'one forecast',
      'one archive',
      'two forecast',
      'two translate',
    ])
    const some = await house.admit({ title: `Some ${era}`, naming: 'on-collision' }, whole)
    expect(await calls(some, ['one__forecast', 'archive', 'two__forecast', 'translate'])).toEqual([
      'one forecast',
      'one archive',
      'two forecast',
      'two translate',
    ])
  })
  test('[GATEWAY-URIS] gets names and addresses untouched from a profile that never prefixes, and none where they collide', async () => {
    const where = await house.admit({ title: `Never ${era}`, naming: 'never' }, [idOf('forecast'), idOf(SHARED)])
    const app = await connect(era, where)
    expect(namesIn((await app.tools()).tools)).toEqual(['forecast'])
    expect((await app.client.listResources()).resources.map(({ uri }) => uri)).toEqual([SHARED])
    const { profiles } = house.rooms
    for (const name of ['forecast', SHARED])
      await expect(profiles.setTools(house.user, where.profileId, [idOf(name), otherIds[name] as ToolId])).rejects.toMatchObject({
        code: 'names_collide',
      })
    await app.close()
  })
})
