/** `toolpass apply` for what a profile holds beside tools, how it is served, and tools that are adjusted. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { createCommandLine } from '../support/command-line.ts'
import { startFeaturedUpstream } from '../support/featured-upstream.ts'
import { type Person, signedIn } from '../support/journey.ts'
import { type Running, setUp, startToolpass } from '../support/running.ts'

const featured = startFeaturedUpstream()
const { folder, put, run, remove } = createCommandLine()
const dataDir = join(folder, 'data')
let running: Running
let ada: Person
beforeAll(async () => {
  running = await startToolpass({ dataDir })
  await setUp(running)
  ada = await signedIn(running)
})
afterAll(async () => {
  await running.stop()
  await featured.stop()
  remove()
})
const declaring = (pick: string, more = '') => `
connections:
  - { owner: ada, name: Featured, connector: streamable-http, settings: { url: '${featured.url}' } }
profiles:
  - { owner: ada, name: full, ${more} tools: [{ connection: featured, ${pick} }] }
`
const apply = async (text: string, ...flags: string[]) => run(dataDir, ['apply', put('featured.yaml', text), ...flags])
const ADJUST = 'adjust: { make: { name: create, fixed: { team: ours, labels: [a] }, defaults: { priority: 2 }, pinned: true } }'
const WHOLE = `tools: [make], prompts: ['s*'], resources: all, ${ADJUST}`
const boxes = async () => {
  const { html } = await ada.open('/profiles')
  const [path = ''] = /\/profiles\/prf_[^"]*(?="[^>]*>\s*full)/.exec(html) ?? []
  const page = await ada.open(path)
  const on = [...page.html.matchAll(/<input[^>]*id="(tool-[^"]+)"[^>]*checked[^>]*data-feature="(\w+)"/g)]
  return { page, path, on: on.map(([, , feature]) => feature), ids: on.map(([, id = '']) => id.slice('tool-'.length)) }
}

test('[APPLY-DECLARES] all of it is made, and again there is nothing to do', async () => {
  const { lines, errors, status } = await apply(declaring(WHOLE, 'delivery: search,'))
  expect([errors, status]).toEqual(['', 0])
  expect(lines).toContain('+ profile ada/full (delivery, tools, prompts, resources, adjust)')
  const { page, on } = await boxes()
  expect(on).toEqual(['tool', 'prompt', 'resource'])
  expect(page.html).toMatch(/name="delivery" value="search" checked/)
  expect(page.html).toMatch(/>adjusted<[\s\S]*>pinned</)
  expect((await apply(declaring(WHOLE, 'delivery: search,'))).out).toBe('Nothing to do.\n')
})

test('[APPLY-IDEMPOTENT] what was changed by hand is put back, and of what no entry speaks nothing changes', async () => {
  const { page, path, ids } = await boxes()
  // Somebody takes the prompt out in the browser.
  await ada.submit(page, `${path}/tools`, { tool_id: ids.filter((_, at) => at !== 1) })
  expect((await apply(declaring(WHOLE), '--dry-run')).lines[0]).toBe('~ profile ada/full (prompts +1)')
  expect((await apply(declaring(WHOLE))).status).toBe(0)
  // Prompts and resources are the user's where the file is silent; delivery too.
  expect((await apply(declaring('tools: [make]'))).out).toBe('Nothing to do.\n')
  expect((await apply(declaring("tools: [make, look], resources: ['file:///srv/*']"))).lines).toEqual([
    '~ profile ada/full (tools +1, resources +3 -1)',
    'Done: 1 change.',
  ])
  expect((await boxes()).on).toEqual(['tool', 'tool', 'prompt', 'resource', 'resource', 'template'])
})

test('[APPLY-IDEMPOTENT] an adjustment follows the file part by part, and an empty one takes it back', async () => {
  const changed = (parts: string) => declaring(`tools: [make], adjust: { make: ${parts} }`)
  expect((await apply(changed('{ title: Other, fixed: {} }'), '--dry-run')).lines[0]).toBe('~ profile ada/full (tools -1, adjust make)')
  await apply(changed('{ title: Other, fixed: {} }'))
  const { path, ids } = await boxes()
  const { html } = await ada.open(`${path}/tools/${ids[0]}`)
  expect(html).toMatch(/name="name"[^>]*value="create"/)
  expect(html).toMatch(/name="title"[^>]*value="Other"/)
  expect(html).toMatch(/id="argument-use-0"[\s\S]*?value="as-is" selected/)
  expect((await apply(changed('{ title: Other, fixed: {} }'))).out).toBe('Nothing to do.\n')
  await apply(changed("{ name: '', title: '', defaults: {}, pinned: false }"))
  expect((await boxes()).page.html).not.toMatch(/>(adjusted|pinned)</)
})

test('[APPLY-DOWN] what the server does not have is named, and what the tool does not take fails alone', async () => {
  const missing = await apply(declaring("tools: [], prompts: [nowhere], resources: ['ftp:*'], adjust: { look: { title: x } }"))
  expect(missing.status).toBe(1)
  for (const what of ['prompt nowhere', 'resource ftp:*', 'tool look in this profile to adjust'])
    expect(missing.lines).toContain(`! profile ada/full: featured has no ${what}.`)
  const refused = await apply(declaring('tools: [make], adjust: { make: { fixed: { nothing: 1 } } }'))
  expect([refused.status, refused.out]).toEqual([1, expect.stringContaining('This tool has no argument called nothing.')])
  expect((await apply(declaring('resources: some'))).errors).toContain('resources must be all, or a list of addresses.')
})
