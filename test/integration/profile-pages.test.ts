/** The pages of a profile as a person without JavaScript uses them: what is picked, how it is served, one tool adjusted. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { startFeaturedUpstream, LONG_ADDRESS } from '../support/featured-upstream.ts'
import { addHttpConnection, type Person, signedIn } from '../support/journey.ts'
import { ADMIN, type Running, setUp, startToolpass } from '../support/running.ts'

const PATIENCE_MS = 10_000
const upstream = startFeaturedUpstream()
let running: Running
let ada: Person
/** Her session once more, for answers that are no pages to go on from. */
let cookie: string
let connection: string
let path: string

type Box = { id: string; label: string; feature: string; checked: boolean }
/** The picker's boxes with what stands beside each. */
function boxesIn(html: string): Box[] {
  const attribute = (tag: string, name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? ''
  return [...html.matchAll(/<input\b[^>]*name="tool_id"[^>]*>/g)].map(([tag]) => {
    const label = new RegExp(`<label for="${attribute(tag, 'id')}">([\\s\\S]*?)</label>`).exec(html)?.[1] ?? ''
    const words = label.replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ')
    return { id: attribute(tag, 'value'), label: words.trim(), feature: attribute(tag, 'data-feature'), checked: / checked\b/.test(tag) }
  })
}
const pick = async (wanted: (box: Box) => boolean) => {
  const page = await ada.open(path)
  const ids = boxesIn(page.html)
    .filter(wanted)
    .map(({ id }) => id)
  return ada.submit(page, `${path}/tools`, { tool_id: ids })
}
const post = (to: string, fields: Record<string, string>) =>
  fetch(running.url + to, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie, origin: running.url, 'sec-fetch-site': 'same-origin' },
    body: new URLSearchParams(fields),
  })
const idOf = async (label: string) => boxesIn((await ada.open(path)).html).find((box) => box.label.startsWith(label))?.id ?? ''

beforeAll(async () => {
  running = await startToolpass()
  await setUp(running)
  ada = await signedIn(running)
  const { username, password } = ADMIN
  const answer = await fetch(`${running.url}/login`, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: running.url, 'sec-fetch-site': 'same-origin' },
    body: new URLSearchParams({ username, password }),
  })
  cookie = answer.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
  connection = await addHttpConnection(ada, 'Featured', upstream.url)
  path = new URL((await ada.submit(await ada.open('/profiles'), '/profiles', { title: 'Work' })).url).pathname
  for (const until = performance.now() + PATIENCE_MS; ; await Bun.sleep(50)) {
    if (boxesIn((await ada.open(path)).html).length === 8) break
    if (performance.now() > until) throw new Error('the server has not been listed')
  }
}, 30_000)
afterAll(async () => {
  await running.stop()
  await upstream.stop()
  running.remove()
})

describe('picking', () => {
  test('[PROFILE-FEATURES] what only reads is proposed: read tools, prompts, and every resource instead of single ones', async () => {
    const boxes = boxesIn((await ada.open(path)).html)
    expect(boxes.filter(({ checked }) => checked).map(({ label }) => label)).toEqual([
      'look',
      'summary The prompt summary',
      'plan The prompt plan',
      'Every resource , also ones it adds later',
    ])
    expect(boxes.map(({ feature }) => feature)).toEqual([
      ...['tool', 'tool', 'prompt', 'prompt'],
      ...['resource', 'resource', 'resource', 'template'],
    ])
  })

  test('[PROFILE-FEATURES] what is saved comes up again, and taking a tool out takes nothing else', async () => {
    await pick(({ label, feature }) => feature === 'tool' || label.startsWith('summary') || label.startsWith('The first'))
    const saved = boxesIn((await ada.open(path)).html).filter(({ checked }) => checked)
    expect(saved.map(({ label }) => label.split(' ')[0])).toEqual(['look', 'make', 'summary', 'The'])
    // As a browser sends it: what is ticked, less one.
    await pick(({ checked, label }) => checked && label !== 'look')
    const left = boxesIn((await ada.open(path)).html).filter(({ checked }) => checked)
    expect(left.map(({ label }) => label.split(' ')[0])).toEqual(['make', 'summary', 'The'])
    expect((await ada.open('/profiles')).html).toContain('1 tool, 1 prompt and 1 resource')
  })

  test('[PROFILE-FEATURES] a long address is cut in the middle and whole on hover', async () => {
    const { html } = await ada.open(path)
    expect(html).toContain(`title="${LONG_ADDRESS}"`)
    expect(html).toMatch(/file:\/\/\/srv\/very[^<]*…[^<]*deep\.md</)
  })

  test('[PROFILE-FEATURES] the page of the connection lists them with their counts', async () => {
    const { html } = await ada.open(connection)
    expect(html).toContain('2 prompts and 3 resources')
    expect(html).toContain('It offers 2 tools, 2 prompts and 3 resources.')
    expect(html).toContain('The prompt summary')
    expect(html).not.toContain('Every resource')
  })

  test('[PROFILE-FEATURES] a token can be for a prompt alone', async () => {
    const form = await ada.open('/apps/tokens/new')
    const chosen = form.html.includes('name="tool_id"') ? form : await ada.open(`/apps/tokens/new?profile=${path.split('/').at(-1)}`)
    const prompt = await idOf('summary')
    expect(boxesIn(chosen.html).map(({ id }) => id)).toContain(prompt)
    expect(chosen.html).toContain('Prompts and resources')
    const made = await ada.submit(chosen, '/apps/tokens', { name: 'Script', tool_id: prompt, expires: 'day' })
    expect(made.html).toContain('tpa_')
    expect((await ada.open('/apps/tokens')).html).toMatch(/>\s*1 prompt/)
  })
})

describe('serving', () => {
  test('[PROFILE-DELIVERY] both ways say what they cost, the choice is kept, and the limits count what is listed', async () => {
    await pick(() => true)
    const page = await ada.open(path)
    expect(page.html).toMatch(/All 2 are in the context of the model from the start: context cost \d+/)
    expect(page.html).toMatch(/Fits: 2 of \d+ tools/)
    await ada.submit(page, path, { title: 'Work', description: '', naming: 'on-collision', delivery: 'search' })
    const after = await ada.open(path)
    expect(after.html).toMatch(/name="delivery" value="search" checked/)
    expect(after.html).toMatch(/Fits: 3 of \d+ tools/)
    expect(after.html).toMatch(/Context cost of <span[^>]*>2 tools<\/span> of 2, found by search/)
    expect(after.html).not.toMatch(/name="purpose"[^>]* checked/)
    await ada.submit(after, path, { title: 'Work', description: '', naming: 'on-collision', delivery: 'search', purpose: 'on' })
    expect((await ada.open(path)).html).toMatch(/name="purpose"[^>]* checked/)
    // A form from before there was a choice changes nothing of it.
    await post(path, { title: 'Work', description: '', naming: 'on-collision' })
    expect((await ada.open(path)).html).toMatch(/name="delivery" value="search" checked/)
  })
})

describe('adjusting one tool', () => {
  const own = async () => `${path}/tools/${await idOf('make')}`
  const seenIn = (html: string) => /name="seen" value="([^"]*)"/.exec(html)?.[1] ?? ''
  const GOOD = {
    ...{ name: 'create', title: '', description: 'Makes one for our team.', pinned: 'on' },
    ...{ 'use-0': 'fixed', 'value-0': 'ours', 'use-1': 'default', 'value-1': '2', 'use-2': 'default', 'value-2': 'false' },
    ...{ 'use-3': 'default', 'value-3': '1', 'use-4': 'default', 'value-4': '["a"]' },
  }

  test('[PROFILE-ADJUST] what is wrong is said at its field, and what was entered comes back', async () => {
    const page = await own()
    const seen = seenIn((await ada.open(page)).html)
    const wrong = { ...GOOD, seen, 'value-1': '2.5', 'value-2': '', 'value-3': '7', 'value-4': 'a, "b"' }
    const answer = await post(page, wrong)
    expect(answer.status).toBe(422)
    const html = await answer.text()
    const errors = [...html.matchAll(/<p class="field-error" id="([^"]+)-error">([^<]+)</g)].map(([, id, says]) => [id, says])
    expect(errors).toEqual([
      ['argument-value-1', 'Enter a whole number.'],
      ['argument-value-2', 'Choose true or false.'],
      ['argument-value-3', 'Choose one of these.'],
      ['argument-value-4', 'This is no JSON. Text stands in quotes, a list in [ ], an object in { }.'],
    ])
    expect(html).toContain('a, &quot;b&quot;')
    expect(html).toContain('value="create"')
    const reserved = await post(page, { ...GOOD, seen, name: 'find_tools' })
    expect([reserved.status, await reserved.text()]).toEqual([422, expect.stringContaining('This name is kept')])
    const list = await post(page, { ...GOOD, seen, 'value-4': '{"a": 1}' })
    expect(await list.text()).toContain('The tool takes array here.')
    expect((await ada.open(path)).html).not.toContain('>adjusted<')
  })

  test('[PROFILE-ADJUST] the page shows both sides, and what was entered comes up as it was', async () => {
    const page = await own()
    const seen = seenIn((await ada.open(page)).html)
    expect((await post(page, { ...GOOD, seen })).status).toBe(303)
    const { html } = await ada.open(page)
    const [server = '', apps = ''] = html.split('What apps see')
    expect(server).toContain('>make<')
    expect(apps).toMatch(/>create<[\s\S]*changed here/)
    const [, whole = ''] = /<code>(\{[\s\S]*?)<\/code>/.exec(apps) ?? []
    const shown = JSON.parse(whole.replaceAll('&quot;', '"')) as { name: string; inputSchema: { properties: object; required: string[] } }
    expect(shown.name).toBe('create')
    expect(Object.keys(shown.inputSchema.properties)).toEqual(['priority', 'urgent', 'state', 'labels'])
    expect(shown.inputSchema.required).toEqual([])
    expect(shown.inputSchema.properties).toMatchObject({
      priority: { default: 2 },
      urgent: { default: false },
      state: { default: 'closed' },
    })
    expect(html).toMatch(/id="argument-use-0"[\s\S]*?value="fixed" selected/)
    expect(html).toMatch(/id="argument-value-3"[\s\S]*?value="1" selected/)
    const profile = (await ada.open(path)).html
    expect(profile).toContain('>adjusted<')
    expect(profile).toContain('>pinned<')
    // Beside the three that search, since it is pinned.
    expect(profile).toMatch(/Fits: 4 of \d+ tools/)
  })

  test('[PROFILE-ADJUST] what belongs to an older definition is not taken for the new one', async () => {
    const answer = await post(await own(), { ...GOOD, seen: 'x'.repeat(43), name: 'other' })
    expect([answer.status, await answer.text()]).toEqual([422, expect.stringContaining('changed this tool while you looked')])
  })

  test('[PROFILE-ADJUST] one button takes all of it back and leaves the pin', async () => {
    const page = await own()
    const answer = await ada.submit(await ada.open(page), `${page}/restore`, {})
    expect(answer.html).not.toContain('changed here')
    expect(answer.html).not.toContain('Take all back')
    const profile = (await ada.open(path)).html
    expect(profile).not.toContain('>adjusted<')
    expect(profile).toContain('>pinned<')
  })

  test('[PROFILE-ADJUST] a prompt has words and no arguments; a resource, one that is not picked and another’s have no page', async () => {
    const prompt = await ada.open(`${path}/tools/${await idOf('summary')}`)
    expect([prompt.status, prompt.html.includes('>Arguments<'), prompt.html.includes('name="pinned"')]).toEqual([200, false, false])
    const resource = await idOf('The first')
    const make = await idOf('make')
    const other = new URL((await ada.submit(await ada.open('/profiles'), '/profiles', { title: 'Empty' })).url).pathname
    for (const nowhere of [`${path}/tools/${resource}`, `${other}/tools/${make}`, `/profiles/prf_0000000000000000/tools/${make}`]) {
      expect((await ada.open(nowhere)).status).toBe(404)
      expect((await post(nowhere, { ...GOOD, seen: 'x' })).status).toBe(404)
      expect((await post(`${nowhere}/restore`, {})).status).toBe(404)
    }
  })

  test('[PROFILE-ADJUST] a tool that its server changed says so and leads to the difference', async () => {
    const tool = upstream.offered.tools[1]
    if (!tool) throw new Error('there is no second tool')
    tool.description = 'Makes one, and tells somebody.'
    await ada.submit(await ada.open(connection), `${connection}/check`, {})
    const page = await own()
    for (const until = performance.now() + PATIENCE_MS; !(await ada.open(page)).html.includes('held back'); await Bun.sleep(50))
      if (performance.now() > until) throw new Error('the change has not been seen')
    const { html } = await ada.open(page)
    const id = page.split('/').at(-1)
    expect(html).toContain(`href="${path}#change-${id}"`)
    expect((await ada.open(path)).html).toContain(`id="change-${id}"`)
  })
})
