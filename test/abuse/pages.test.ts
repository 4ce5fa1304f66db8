/** ABUSE row 51: what a server says of itself and its tools is text wherever we show it, and unchanged where we pass it on. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Page, valuesOf } from '../../bench/person.ts'
import { crawl } from '../support/crawl.ts'
import {
  addHttpConnection,
  CALLBACK,
  callMcp,
  connectApp,
  makeProfile,
  type Person,
  readMcp,
  register,
  signedIn,
} from '../support/journey.ts'
import { MARKUP, MARKUP_TOOLS, startRogueUpstream } from '../support/rogue-upstream.ts'
import { type Running, setUp, startToolpass } from '../support/running.ts'

let running: Running
let ada: Person
let access: string
let pages: Page[]
const rogue = startRogueUpstream()

const consentPage = async () => {
  const asked = new URLSearchParams({
    ...{ response_type: 'code', client_id: await register(running, { client_name: MARKUP }), redirect_uri: CALLBACK, scope: 'mcp' },
    ...{ resource: `${running.url}/mcp/work`, code_challenge: 'x'.repeat(43), code_challenge_method: 'S256', state: MARKUP },
  })
  return ada.open(`/oauth/authorize?${asked}`)
}

beforeAll(async () => {
  running = await startToolpass()
  await setUp(running)
  ada = await signedIn(running)
  // What people write themselves goes the same way.
  await addHttpConnection(ada, `<b>${'<i>x'}`, rogue.url('markup'))
  await makeProfile(ada, 'Work', 2)
  access = (await connectApp(running, ada, { profile: 'work' })).access_token
  const listed = await readMcp(await callMcp(running, 'work', access, 'tools/list'))
  const [first] = (listed.result?.['tools'] ?? []) as { name: string }[]
  for (const name of [first?.name ?? '', MARKUP, '<script>hit()</script>'])
    await callMcp(
      running,
      'work',
      access,
      'tools/call',
      { name, arguments: {} },
      { 'mcp-name': `=?base64?${Buffer.from(name).toString('base64')}?=` },
    )
  await Bun.sleep(150)
  pages = [await consentPage(), ...(await crawl(ada, running.url))]
}, 20_000)
afterAll(async () => {
  await running.stop()
  await rogue.stop()
  running.remove()
})

/** What a browser would run, load or follow on this page that is not ours. */
function foreignIn({ html }: Page): string[] {
  const found: string[] = []
  const links = ['href', 'src', 'action', 'formaction', 'srcset', 'data', 'poster', 'xlink:href', 'hx-get', 'hx-post', 'content']
  new HTMLRewriter()
    .on('*', {
      element(element) {
        for (const [name, value = ''] of element.attributes) {
          if (/^on|^style$|^srcdoc$/i.test(name)) found.push(`${element.tagName} ${name}`)
          if (
            links.includes(name.toLowerCase()) &&
            /^\s*(javascript|data|vbscript):/i.test(value.replaceAll(/&#?\w+;|[\u0000-\u0020]/g, ''))
          )
            found.push(`${element.tagName} ${name}=${value.slice(0, 40)}`)
        }
        const isOurs = element.getAttribute('src')?.startsWith('/assets/') === true
        if (element.tagName === 'script' && !isOurs) found.push('script')
        if (['img', 'iframe', 'object', 'embed', 'base', 'b', 'i'].includes(element.tagName)) found.push(element.tagName)
      },
    })
    .transform(html)
  return found
}

test('[ABUSE-51] on no page does anything that a server wrote run, load or lead anywhere', () => {
  expect(pages.length).toBeGreaterThan(25)
  expect(pages.filter((page) => foreignIn(page).length > 0).map((page) => [page.url, foreignIn(page)])).toEqual([])
  const shown = pages.filter(({ html }) => html.includes('&lt;script&gt;globalThis.hit=1&lt;/script&gt;'))
  // Consent, connection, profile and the pages of calls at the least.
  expect(shown.map(({ url }) => new URL(url).pathname.split('/')[1])).toEqual(expect.arrayContaining(['oauth', 'connections', 'profiles']))
})
test('[ABUSE-51] prompts, resources and templates are shown wherever they are picked and allowed, as text', () => {
  expect(pages.filter(({ url }) => /\/profiles\/prf_\w+\/tools\/tol_\w+$/.test(url))).toHaveLength(4)
  const places = pages.filter(({ url }) => /\/oauth\/authorize|\/(profiles\/prf|connections\/con)_\w+$/.test(url))
  expect(places.length).toBeGreaterThanOrEqual(3)
  for (const { url, html } of places)
    for (const shown of ['javascript:hit()#2', 'javascript:hit()#{2}', '2&quot;&#39;&gt;&lt;script&gt;'])
      expect([url, shown, html.includes(shown)]).toEqual([url, shown, true])
})
test('[ABUSE-51] no page shows letters that turn text round or cannot be seen', () => {
  const raw = pages.filter(({ html }) => /[\u202a-\u202e\u2066-\u2069\u200b]/.test(html))
  expect(raw.map(({ url, html }) => [url, html.slice(html.search(/[\u202a-\u202e\u2066-\u2069\u200b]/) - 80).slice(0, 100)])).toEqual([])
})
test('[ABUSE-51] a client gets the definitions as the server wrote them, under a name of ours', async () => {
  const listed = await readMcp(await callMcp(running, 'work', access, 'tools/list'))
  const tools = (listed.result?.['tools'] ?? []) as ({ name: string } & Record<string, unknown>)[]
  expect(tools.map(({ name: _, ...rest }) => rest)).toEqual(MARKUP_TOOLS.map(({ name: _, ...rest }) => rest))
  expect(tools.filter(({ name }) => !/^[\w-]{1,64}$/.test(name))).toEqual([])
  const answer = await readMcp(await callMcp(running, 'work', access, 'tools/call', { name: tools[0]?.name, arguments: {} }))
  expect(answer.result?.['content']).toEqual([{ type: 'text', text: MARKUP }])
})
test('[ABUSE-51] what comes back on a refused form or an unknown address is text as well', async () => {
  const profile = await ada.open('/profiles')
  expect(valuesOf(profile.html, 'title').length).toBeGreaterThan(0)
  const refusals = [
    await ada.open(`/nowhere/${encodeURIComponent(MARKUP)}`),
    await ada.open(`/login?next=${encodeURIComponent(`javascript:${MARKUP}`)}`),
    await ada.open(`/activity?tool=${encodeURIComponent(MARKUP)}&q=${encodeURIComponent(MARKUP)}`),
    await ada.open(`/catalogue?q=${encodeURIComponent(MARKUP)}`),
    await ada.open(`/oauth/authorize?client_id=${encodeURIComponent(MARKUP)}&redirect_uri=${encodeURIComponent('javascript:hit()')}`),
    await ada.open(`/device?user_code=${encodeURIComponent(MARKUP)}`),
  ]
  expect(refusals.map(foreignIn)).toEqual(refusals.map(() => []))
})
