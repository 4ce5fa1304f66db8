/** The sample of examples/bring-your-tools against a running Toolpass: its pages and ours, by links and forms alone. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { startSample } from '../../examples/bring-your-tools/app.ts'
import { argumentsOf, fieldsOf } from '../../examples/bring-your-tools/form.ts'
import { createTools, type Visitor } from '../../examples/bring-your-tools/tools.ts'
import { createPerson, type Page, valuesOf } from '../../bench/person.ts'
import { addHttpConnection, callMcp, makeProfile, type Person, signedIn } from '../support/journey.ts'
import { type Running, setUp, startToolpass } from '../support/running.ts'
import { type HttpUpstream, startModernUpstream } from '../support/upstreams.ts'

let running: Running
let upstream: HttpUpstream
let sample: ReturnType<typeof startSample>
/** The same somebody, once at Toolpass and once at the sample. */
let owner: Person

beforeAll(async () => {
  upstream = startModernUpstream()
  running = await startToolpass()
  await setUp(running)
  owner = await signedIn(running)
  await addHttpConnection(owner, 'Modern', upstream.url)
  await makeProfile(owner, 'Work', 4)
  sample = startSample({ address: `${running.url}/mcp`, port: 0 })
})
afterAll(async () => {
  sample.stop()
  await running.stop()
  await upstream.stop()
  running.remove()
})

const pathOf = (location: string | undefined) => {
  const { pathname, search } = new URL(location ?? '')
  return pathname + search
}
const toConsent = async (visitor: Person): Promise<Page> => {
  const sent = await visitor.submit(await visitor.open('/'), '/connect', {})
  expect(new URL(sent.location ?? '').origin).toBe(running.url)
  const asked = await owner.open(pathOf(sent.location))
  return owner.submit(asked, '/oauth/authorize/decide', { profile: 'work' })
}
const allow = (consent: Page) =>
  owner.submit(consent, '/oauth/authorize/decide', { decision: 'allow', tool_id: valuesOf(consent.html, 'tool_id') })
async function bring(): Promise<{ visitor: Person; page: Page; callback: string }> {
  const visitor = createPerson(sample.origin)
  const allowed = await allow(await toConsent(visitor))
  const callback = pathOf(allowed.location)
  return { visitor, callback, page: await visitor.open(callback) }
}
const appsOf = async () => new Set([...(await owner.open('/apps')).html.matchAll(/href="(\/apps\/grt_\w+)"/g)].map(([, path = '']) => path))
/** As `bring`, with the page of the connected app that came of it. */
async function bringNew() {
  const before = await appsOf()
  const brought = await bring()
  const [app = ''] = (await appsOf()).difference(before)
  return { ...brought, app }
}
describe('the sample application', () => {
  test('[SAMPLE-JOURNEY] lists the tools of whoever allows it, and calls one', async () => {
    const { visitor, page } = await bring()
    for (const tool of ['echo', 'slow', 'ask']) expect(valuesOf(page.html, 'tool')).toContain(tool)
    const called = await visitor.submit(page, '/call', { tool: 'echo' })
    expect(called.html).toMatch(/<pre[^>]*>echo<\/pre>/)
    expect(upstream.seen.some(({ body }) => body.includes('"tools/call"'))).toBe(true)
  })

  test('[SAMPLE-SAFE] takes an answer once, only with its own state, and only in the browser that asked', async () => {
    const { visitor, callback } = await bring()
    expect((await visitor.open(callback)).html).toContain('belongs to no question of yours')
    const stranger = createPerson(sample.origin)
    const { html } = await stranger.open(callback)
    expect(html).toContain('belongs to no question of yours')
    expect(html).toContain('action="/connect"')
    await toConsent(stranger)
    expect((await stranger.open('/callback?code=x&state=y')).html).toContain('belongs to no question of yours')
  })

  test('[SAMPLE-SAFE] takes no answer of another issuer', async () => {
    const visitor = createPerson(sample.origin)
    const allowed = await allow(await toConsent(visitor))
    const forged = pathOf(allowed.location).replace(/iss=[^&]+/, `iss=${encodeURIComponent('https://evil.example')}`)
    const { html } = await visitor.open(forged)
    expect(html).toContain('That did not work')
    expect(html).toContain('action="/connect"')
  })

  test('[SAMPLE-SAFE] refuses a form of another site, and a denial connects nothing', async () => {
    const origin = 'https://evil.example'
    for (const path of ['/connect', '/call', '/disconnect'])
      expect((await fetch(sample.origin + path, { method: 'POST', headers: { origin } })).status).toBe(403)
    const visitor = createPerson(sample.origin)
    const denied = await owner.submit(await toConsent(visitor), '/oauth/authorize/decide', { decision: 'deny' })
    const { html } = await visitor.open(pathOf(denied.location))
    expect(html).toContain('You did not allow it')
    expect(html).toContain('action="/connect"')
  })

  test('[SAMPLE-ENDS] Disconnect revokes at Toolpass, and not only here', async () => {
    const tools = createTools({ address: `${running.url}/mcp`, callback: `${sample.origin}/callback` })
    const visitor: Visitor = {}
    const asked = await owner.open(pathOf(await tools.begin(visitor)))
    const consent = await owner.submit(asked, '/oauth/authorize/decide', { profile: 'work' })
    const { location = '' } = await allow(consent)
    await tools.finish(visitor, new URL(location).searchParams)
    const { access_token: token = '', refresh_token } = visitor.tokens ?? {}
    expect(refresh_token).toBeDefined()
    expect((await callMcp(running, 'work', token, 'tools/list')).status).toBe(200)
    await tools.end(visitor)
    expect(visitor.tokens).toBeUndefined()
    expect((await callMcp(running, 'work', token, 'tools/list')).status).toBe(401)
  })

  test('[SAMPLE-ENDS] after Disconnect the page starts over', async () => {
    const { visitor, page } = await bring()
    expect((await visitor.submit(page, '/disconnect', {})).html).toContain('action="/connect"')
  })

  test('[SAMPLE-ENDS] access that was taken away is told once, and can be asked for again', async () => {
    const { visitor, app } = await bringNew()
    await owner.submit(await owner.open(app), `${app}/revoke`, {})
    const { html } = await visitor.open('/')
    expect(html).toContain('no longer connected')
    expect(html).toContain('action="/connect"')
    expect((await visitor.open('/')).html).not.toContain('no longer connected')
  })

  test('[SAMPLE-ENDS] a pause is no end: the tokens are kept', async () => {
    const paused = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => Response.json({ error: 'paused' }, { status: 403 }) })
    const tools = createTools({ address: `${paused.url}mcp`, callback: `${sample.origin}/callback` })
    const visitor: Visitor = { tokens: { access_token: 'a', token_type: 'Bearer' } }
    await expect(tools.list(visitor)).rejects.toThrow('You paused this application')
    expect(visitor.tokens).toBeDefined()
    await paused.stop(true)
  })
})

test('[SAMPLE-FORM] the fields of a form become the arguments that the schema asks for', () => {
  const fields = fieldsOf({
    inputSchema: {
      type: 'object',
      properties: {
        text: { type: 'string', description: 'What to say' },
        times: { type: 'integer' },
        loud: { type: 'boolean' },
        tone: { type: 'string', enum: ['warm', 'cold'] },
        more: { type: 'object' },
        blank: { type: 'string' },
      },
      required: ['text', 'blank'],
    },
  })
  expect(fields.map(({ kind }) => kind)).toEqual(['text', 'number', 'yes-no', 'choice', 'json', 'text'])
  const form = (filled: Record<string, string>) =>
    new URLSearchParams(Object.entries(filled).map(([name, value]) => [`argument.${name}`, value]))
  expect(argumentsOf(fields, form({ text: 'hi', times: '2', loud: 'no', tone: 'cold', more: '{"a":[1]}', blank: '' }))).toEqual({
    ...{ text: 'hi', times: 2, loud: false, tone: 'cold' },
    ...{ more: { a: [1] }, blank: '' },
  })
  expect(argumentsOf(fields, form({ text: 'hi' }))).toEqual({ text: 'hi', blank: '' })
  expect(() => argumentsOf(fields, form({ text: 'hi', more: '{' }))).toThrow()
})
