/** Made-up requests for the variants of the consent page. */
import type { ConsentPageProps } from '@views/consent.tsx'
import type { Earlier } from '@views/consent-again.tsx'
import type { ConsentRequest } from '@views/consent-parts.tsx'
import { asking, DAY, EVIL, LONG, now, work } from './samples.ts'

export const firstTime = {
  profile: work,
  choices: [],
  unready: [],
  replaceable: [],
  deviceName: 'Chrome on macOS',
  expires: 'month',
} satisfies Partial<ConsentPageProps>

export const choices = [
  { name: 'work', title: 'Work', current: true },
  { name: 'research', title: 'Research', current: false },
  { name: 'long', title: LONG, current: false },
]
export const unready = [
  { id: 'con_1', name: 'Linear', problem: 'The connected server refused the credential. Sign in to it again.' },
  { id: 'con_2', name: EVIL, problem: LONG },
]
export const claude: ConsentRequest = {
  ...asking,
  client: { name: 'Claude', verification: { level: 'document', host: 'claude.ai' }, known: { name: 'Claude', by: 'document' } },
  returnPlace: { kind: 'web', to: 'claude.ai' },
}
export const cursor: ConsentRequest = {
  ...asking,
  client: { name: 'Cursor', verification: { level: 'unverified' }, known: { name: 'Cursor', by: 'redirect' } },
  returnPlace: { kind: 'scheme', to: 'cursor://anysphere.cursor-mcp' },
}
export const device: ConsentRequest = {
  ...asking,
  client: { name: 'Kitchen radio', verification: { level: 'unverified' } },
  returnPlace: { kind: 'device', address: '203.0.113.5', startedAt: now - 60_000 },
}
export const sameAgain: Earlier = { at: now - 12 * DAY, added: [], dropped: [], left: [], gone: 0 }
export const again = {
  ...firstTime,
  earlier: {
    ...sameAgain,
    profile: 'Home',
    added: ['get_issue'],
    dropped: ['create_issue', EVIL, LONG, 'one', 'two', 'three', 'four'],
    left: ['delete_issue'],
    gone: 2,
    lasts: { before: 'when revoked', now: 'after 30 days' },
  },
  replaceable: [
    { id: 'grt_1', device: 'Laptop', profile: 'Home', at: now - 12 * DAY, on: true },
    { id: 'grt_2', device: LONG, profile: LONG, at: now - 40 * DAY, on: false },
  ],
} satisfies Partial<ConsentPageProps>
export const refusedConsent = {
  values: { device_name: 'Laptop', expires: 'day' },
  errors: { form: 'Switch at least one tool on, or deny.' },
}
