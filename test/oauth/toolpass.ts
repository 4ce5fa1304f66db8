/** Our own server, from source, in a process of its own: one connection, one profile with all its tools. */
import { createPerson, type Page, valuesOf } from '../../bench/person.ts'
import { addHttpConnection, callMcp, makeProfile } from '../support/journey.ts'
import { ADMIN, startToolpass } from '../support/running.ts'
import { startModernUpstream } from '../support/upstreams.ts'
import { readMetadata, type Target, type Word } from './target.ts'

const DECIDE = '/oauth/authorize/decide'

export async function startOurs(env: Record<string, string> = {}): Promise<Target> {
  const upstream = startModernUpstream()
  const running = await startToolpass({ env })
  const person = createPerson(running.url)
  await person.submit(await person.open(`/setup?token=${running.setupToken()}`), '/setup', ADMIN)
  await addHttpConnection(person, 'Files', upstream.url)
  await makeProfile(person, 'Work', 1)

  /** Earlier connections of the same app are left alone: each case is for itself. */
  const answerOn = (page: Page, word: Word) =>
    person.submit(page, DECIDE, { decision: word, tool_id: valuesOf(page.html, 'tool_id'), expires: 'never', replaces: [] })
  return {
    name: 'toolpass',
    issuer: running.url,
    metadata: await readMetadata(running.url),
    resource: `${running.url}/mcp/work`,
    otherResource: `${running.url}/mcp`,
    visit: (address) => person.open(address),
    visitAsStranger: (address) => createPerson(running.url).open(address),
    async answer(address, word) {
      const page = await person.open(address)
      const answered = page.location === undefined ? await answerOn(page, word) : page
      return new URL(answered.location ?? '')
    },
    async answerDevice({ verification_uri_complete, user_code }, word) {
      const typed = await person.submit(await person.open(verification_uri_complete), '/device', { user_code })
      await answerOn(typed, word)
    },
    accepts: async (accessToken) => (await callMcp(running, 'work', accessToken, 'server/discover')).ok,
    async stop() {
      await running.stop()
      await upstream.stop()
      running.remove()
    },
  }
}
