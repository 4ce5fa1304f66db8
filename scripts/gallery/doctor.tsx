/** The connection doctor in its states: nothing yet, on the way, refused, connected, and what the check of our address says. */
import type { AttemptView, StageView } from '@views/doctor-attempt.tsx'
import { DoctorPage, type DoctorPageProps } from '@views/doctor.tsx'
import type { Html } from '@views/jsx-runtime'
import { EVIL, LONG, member, now, shell } from './samples.ts'

const titles = ['Found us', 'Metadata', 'Registered', 'You were asked', 'Token', 'First request']
const texts = [
  ['Came to /mcp/work without a token'],
  ['Read what the address is', 'Read who signs people in'],
  ['Registered itself'],
  ['The sign-in page was opened', 'Signed in', 'The page that asks you was opened', 'You allowed it'],
  ['Got its token'],
  ['Came in with its token'],
]
const stage = (at: number, state: StageView['state'], word: string, more: Partial<StageView> = {}): StageView => ({
  title: titles[at] ?? '',
  state,
  word,
  ...(state === 'ahead' || state === 'passed' || state === 'next'
    ? { entries: [] }
    : {
        afterMs: at * at * 900,
        entries: (texts[at] ?? []).map((text, n, all) => ({
          text,
          at: now - 40_000 + at * 4_000 + n * 500,
          times: 1,
          tone: at === 0 ? 'neutral' : state === 'refused' && n === all.length - 1 ? 'danger' : state === 'waiting' ? 'accent' : 'ok',
        })),
      }),
  ...more,
})
const done = (upTo: number) => titles.slice(0, upTo).map((_, at) => stage(at, 'done', 'Done'))
const ahead = (from: number, word = 'Not yet') => titles.slice(from).map((_, at) => stage(from + at, 'ahead', word))

const attempt = (id: number, more: Partial<AttemptView>): AttemptView => ({
  id,
  app: 'Claude Code',
  users: ['kim'],
  from: ['192.168.1.20'],
  address: '/mcp/work',
  state: 'connected',
  startedAt: now - id * 40_000,
  lastAt: now - 10_000,
  stages: done(6),
  advice: [],
  ...more,
})
const last401 = { at: now - 30_000, status: 401, why: 'it came without a token, as each app does at first' }
const green = attempt(1, { last401 })
const waiting = attempt(1, {
  state: 'waiting',
  stages: [
    ...done(3),
    stage(3, 'waiting', 'Waiting', { entries: [{ text: 'The page that asks you was opened', at: now, times: 2, tone: 'accent' }] }),
    ...ahead(4),
  ],
  advice: [{ problem: 'It is your turn: the page that asks you is open in a browser.', fix: 'Allow or deny it there.' }],
})
const stopped = attempt(4, {
  app: '',
  users: [],
  state: 'stopped',
  stages: [...done(2), ...ahead(2, 'Did not happen')],
  advice: [
    {
      problem: 'The app is told to come to http://tools.example.org. Most apps sign in over https only, except on the same computer.',
      fix: 'Put https in front (a reverse proxy) and set TOOLPASS_URL to the https address.',
      link: { href: '#check', label: 'Check our own address' },
    },
  ],
})
const refused = attempt(2, {
  app: 'Cursor',
  from: ['192.168.1.20', '2001:db8:1234:5678:9abc:def0:1234:5678'],
  state: 'refused',
  stages: [
    stage(0, 'passed', 'Not needed', { note: 'It knew the way.' }),
    stage(1, 'passed', 'Not needed', { note: 'It remembered who signs people in here.' }),
    stage(2, 'passed', 'Not needed', { note: 'It was registered before.' }),
    stage(3, 'passed', 'Not needed', { note: 'You had answered before.' }),
    stage(4, 'passed', 'Not needed', { note: 'It had a token already.' }),
    stage(5, 'refused', 'Refused', {
      entries: [{ text: 'Refused: its token is for another address', at: now - 9_000, times: 14, tone: 'danger' }],
    }),
  ],
  advice: [
    {
      problem: 'Cursor has a token for /mcp/work and came to /mcp/home. Each address has a sign-in of its own.',
      fix: 'In Cursor, sign out of this server (or remove and add it again), then sign in. Or give it the address that it signed in for.',
    },
    {
      problem: 'There is a proxy in front of Toolpass that it was not told of, so that everybody seems to come from one address.',
      fix: 'Set TOOLPASS_TRUSTED_PROXIES to the address of the proxy.',
    },
  ],
  last401: { at: now - 9_000, status: 401, why: 'its token is for another address' },
})
const hostile = attempt(9, {
  app: `${EVIL} ${LONG}`,
  users: [LONG],
  address: `/mcp/${LONG}`,
  state: 'stopped',
  stages: [...done(1), ...ahead(1, 'Did not happen')],
})

const rows = [
  {
    what: 'Who signs people in',
    url: 'https://tools.example.org/.well-known/oauth-authorization-server',
    answer: '200 application/json',
    verdict: 'ok',
  },
  {
    what: 'What the address is',
    url: 'https://tools.example.org/.well-known/oauth-protected-resource/mcp/check-x3k9a7qpw2lm',
    answer: '200 text/html',
    verdict: 'wrong',
    why: 'This is not Toolpass: the answer is no JSON.',
  },
  {
    what: 'The way to the sign-in',
    url: 'https://tools.example.org/mcp/check-x3k9a7qpw2lm',
    answer: 'no answer',
    verdict: 'silent',
    why: 'tools.example.org does not take connections.',
  },
] as const

const live = { href: '/apps/doctor/live?since=4', pageHref: '/apps/doctor', waitingFor: undefined, attempts: [], quiet: [] }
const base: DoctorPageProps = {
  shell,
  profiles: [
    { value: 'work', label: 'Work' },
    { value: 'any', label: 'Any (chosen on the consent page)' },
  ],
  clients: [
    { value: '', label: 'Any app' },
    { value: 'claude-code', label: 'Claude Code' },
  ],
  chosen: { profile: 'work', client: '' },
  url: 'https://tools.example.org/mcp/work',
  beforehand: [],
  hints: [],
  live,
  check: { publicUrl: 'https://tools.example.org' },
  seesAll: true,
}
const quiet = [{ app: 'VS Code', address: '/mcp/home', at: now - 20_000 }]

export const doctorPages: Record<string, Html> = {
  'doctor-empty': (
    <DoctorPage {...base} shell={member} seesAll={false} live={{ ...live, waitingFor: 'your app' }} check={{ publicUrl: undefined }} />
  ),
  'doctor-waiting': (
    <DoctorPage
      {...base}
      chosen={{ profile: 'work', client: 'claude-code' }}
      connect={{
        steps: 'Run this in a terminal, then `claude mcp login work` to sign in.',
        copy: { text: 'claude mcp add --transport http work https://tools.example.org/mcp/work', label: 'command' },
      }}
      hints={['Its answer comes to a port that changes each time.']}
      beforehand={[
        {
          problem: 'ChatGPT connects from the internet, and http://192.168.1.20:8080 is an address that only your own network knows.',
          fix: 'Put Toolpass behind a public https address (a reverse proxy or a tunnel), set TOOLPASS_URL to it, and paste that address.',
        },
      ]}
      live={{ ...live, waitingFor: 'Claude Code', attempts: [stopped], quiet }}
    />
  ),
  'doctor-asked': <DoctorPage {...base} live={{ ...live, attempts: [waiting, stopped, hostile] }} />,
  'doctor-refused': (
    <DoctorPage
      {...base}
      live={{ ...live, attempts: [refused, green, stopped], quiet }}
      check={{ publicUrl: 'https://tools.example.org', result: { at: now, rows } }}
    />
  ),
  'doctor-connected': (
    <DoctorPage
      {...base}
      live={{ ...live, attempts: [green] }}
      check={{
        publicUrl: 'https://tools.example.org',
        result: {
          at: now,
          rows: rows.map(({ what, url }, at) => ({
            what,
            url,
            verdict: 'ok',
            answer: at < 2 ? '200 application/json' : '401 application/json',
          })),
        },
      }}
    />
  ),
}
