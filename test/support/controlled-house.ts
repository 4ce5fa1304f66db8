/**
 * The compiled executable with a person at a real browser and real clients connected, for tests of control while it happens. Two servers
 * (Desk with notes, Home with a lamp) are in the profiles Work and Evening; both clients came to `/mcp` and are at Work.
 */
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import type { Page } from 'playwright-core'
import { addConnectionByHand, consentByHand } from './by-hand.ts'
import { enter, startChromium } from './chromium.ts'
import { createRealClient, type RealClient } from './real-clients.ts'
import { type Running, setUp, startToolpass } from './running.ts'
import { startModernUpstream } from './upstreams.ts'

/** What is promised: whoever is connected feels it by then. */
export const SOON_MS = 1_000

type Kind = 'v1' | 'v2'
type Session = Awaited<ReturnType<RealClient['reconnect']>>

const inputSchema = { type: 'object' as const }
const NOTES = [
  { name: 'read_note', description: 'Reads a note.', inputSchema, annotations: { readOnlyHint: true } },
  { name: 'write_note', description: 'Writes a note.', inputSchema, annotations: { destructiveHint: false } },
  { name: 'drop_note', description: 'Drops a note.', inputSchema, annotations: { destructiveHint: true } },
]
const LAMPS = [{ name: 'lamp', description: 'Says whether it burns.', inputSchema, annotations: { readOnlyHint: true } }]

export async function openControlledHouse() {
  const notes = structuredClone(NOTES)
  const [desk, home] = [startModernUpstream(() => notes), startModernUpstream(() => LAMPS)]
  const running = await startToolpass({ compiled: true })
  await setUp(running)
  const chromium = await startChromium()
  const { page } = chromium
  page.setDefaultTimeout(20_000)
  await enter(page, running.url)
  const hand = createHand(page, running)
  const connect = (name: string, url: string) => addConnectionByHand(page, running, { name, settings: { url } })
  const places = { connection: await connect('Desk', desk.url), profile: '' }
  await connect('Home', home.url)
  places.profile = await hand.makeProfile('Work', /_note/)
  await hand.makeProfile('Evening', /lamp/)
  const connected = (kind: Kind) => createRealClient(kind, `${running.url}/mcp`, hand.consent)
  const clients: Record<Kind, RealClient> = { v1: await connected('v1'), v2: await connected('v2') }
  const ear = createEar(clients.v1)
  await ear.listenAgain()
  return {
    running,
    page,
    desk,
    /** As Desk describes its tools; what is changed here it has changed. */
    notes,
    /** Paths of the pages of Desk and Work. */
    places,
    clients,
    ...hand,
    ...ear,
    toldAfter: createTold(page, ear),
    ...createBare(running, clients),
    async close() {
      await ear.end()
      await chromium.close()
      await running.stop()
      await Promise.all([desk.stop(), home.stop()])
      running.remove()
    },
  }
}
export type ControlledHouse = Awaited<ReturnType<typeof openControlledHouse>>

/** What the person does on the pages, over and over. */
function createHand(page: Page, running: Running) {
  return {
    /** With the tools whose rows have such a name. @returns its page's path */
    async makeProfile(title: string, names: RegExp): Promise<string> {
      await page.goto(`${running.url}/profiles`)
      await page.fill('[name=title]', title)
      await page.click('form[action="/profiles"] button[type=submit]')
      await page.waitForURL(/\/profiles\/prf_/)
      await page.locator('#profile-tools details').evaluateAll((folds) => folds.forEach((fold) => void fold.setAttribute('open', '')))
      for (const box of await page.locator('#profile-tools input[name=tool_id]').all()) {
        const row = await box.evaluate((element) => element.closest('li, tr')?.textContent ?? '')
        await box.setChecked(names.test(row), { force: true })
      }
      await page.click('#profile-tools button[type=submit]')
      await page.waitForSelector('text=Saved')
      return new URL(page.url()).pathname
    },
    /** Lets the app in to the profile Work, with all of its tools. */
    consent: (url: URL): Promise<URL> =>
      consentByHand(page, url, (said) => {
        if (!said.includes('read_note')) throw new Error('Work is not the profile that is proposed')
      }),
    async openApp(kind: Kind): Promise<void> {
      await page.goto(`${running.url}/apps`)
      await page
        .locator('[id^="app-grt_"]', { hasText: `SDK ${kind} client` })
        .getByRole('link')
        .first()
        .click()
      await page.waitForURL(/\/apps\/grt_/)
    },
    /** On the page of an app: what is clicked to give a tool this permission. */
    permission: (tool: string, word: string) => page.locator('.permission', { hasText: tool }).locator('label.segment', { hasText: word }),
    /** @returns when it was answered */
    async press(selector: string): Promise<number> {
      const answered = answeredOn(page)
      await page.locator(selector).first().click()
      return answered
    },
  }
}
const answeredOn = (page: Page): Promise<number> =>
  page.waitForResponse((response) => response.request().method() === 'POST').then(() => performance.now())

/** A second session of the older client, with its stream open: it hears of changes. */
function createEar(client: RealClient) {
  let session: Session | undefined
  let heard: number[] = []
  const end = async () => session?.client.close()
  return {
    end,
    /** Whatever paused its app has ended its stream. */
    async listenAgain(): Promise<void> {
      await end()
      session = await client.reconnect()
      const hearing = session.client as { setNotificationHandler(schema: unknown, hear: () => void): void }
      hearing.setNotificationHandler(ToolListChangedNotificationSchema, () => void heard.push(performance.now()))
    },
    /** What it finds in the session that it has. */
    async listedInSession(): Promise<string[]> {
      const { tools = [] } = ((await session?.client.listTools()) ?? {}) as { tools?: { name: string }[] }
      return tools.map(({ name }) => name)
    },
    forget(): void {
      heard = []
    },
    firstHeard: (): number | undefined => heard[0],
  }
}

/** Does it, and waits until the older client was told of another list. @returns after how many milliseconds */
const createTold =
  (page: Page, ear: Pick<ReturnType<typeof createEar>, 'forget' | 'firstHeard'>) =>
  async (deed: () => Promise<unknown>): Promise<number> => {
    ear.forget()
    const [done] = await Promise.all([answeredOn(page), deed()])
    const until = done + SOON_MS
    while (ear.firstHeard() === undefined && performance.now() < until) await Bun.sleep(10)
    const heard = ear.firstHeard()
    if (heard === undefined) throw new Error('nobody was told of a changed list within a second')
    return heard - done
  }

/** What the apps get by requests of their own, beside their SDKs. */
function createBare({ url }: Running, clients: Record<Kind, RealClient>) {
  const sent = (kind: Kind, headers: Record<string, string>, message: object) =>
    fetch(`${url}/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${clients[kind].memory.tokens?.access_token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }),
    })
  return {
    /** A ping: whether the app is served at all. */
    asked: (kind: Kind) => sent(kind, { 'mcp-protocol-version': '2025-11-25' }, { method: 'ping' }),
    /** Opens a stream as the app would. @returns when it has ended */
    async listenAs(kind: Kind): Promise<Promise<number>[]> {
      const _meta = {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': {},
        'io.modelcontextprotocol/clientInfo': { name: 'e2e', version: '1' },
      }
      const method = 'subscriptions/listen'
      const params = { notifications: { toolsListChanged: true }, _meta }
      const stream = await sent(kind, { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method }, { method, params })
      if (stream.status !== 200) throw new Error(`The stream was answered with ${stream.status}.`)
      const now = () => performance.now()
      return [stream.text().then(now, now)]
    },
    /** Of the older client, which asks each time: the newer one's SDK keeps a list as long as it is told that it holds. */
    async listedWithin(ms: number, isListed: boolean): Promise<void> {
      const until = performance.now() + ms
      while ((await clients.v1.listTools()).includes('read_note') !== isListed) {
        if (performance.now() > until) throw new Error(`read_note is ${isListed ? 'not yet' : 'still'} on the list`)
        await Bun.sleep(20)
      }
    },
  }
}
