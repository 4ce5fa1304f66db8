/** The audit trail as a whole: full, empty, while it is verified, and where something was altered. */
import { TrailPage, type TrailPageProps } from '@views/trail.tsx'
import { TrailForwarderPage } from '@views/trail-forwarder.tsx'
import type { Html } from '@views/jsx-runtime'
import { DAY, now, shell } from './samples.ts'

const HOUR = DAY / 24
const MINUTE = HOUR / 60
const ago = (ms: number) => now - ms

const publicKey = '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA5Zb3eO1p0T0q3d8s1cQk2b7x9Y4mHnJ6vWl0fRrU2xg=\n-----END PUBLIC KEY-----'
const proof = { startedAt: ago(3 * MINUTE), by: 'ada', proven: 182_304, old: 0, total: 182_304, contents: 96_411, endedAt: ago(2 * MINUTE) }
const base: TrailPageProps = {
  shell,
  size: { rows: 182_304, megabytes: 214.3, since: ago(90 * DAY) },
  policy: { days: 90 },
  checkpoint: { seq: 1_204_511, at: ago(5 * HOUR), rows: 2_310, why: 'age' },
  publicKey,
  proof: { ...proof, from: { seq: 1_204_511, at: ago(5 * HOUR) } },
  forwarders: [
    { id: 'fwd_1', kind: 'otlp', name: 'Collector', host: 'otel.example.org:4318', paused: false, sentAt: ago(4_000), behind: 0 },
    {
      ...{ id: 'fwd_2', kind: 'syslog', name: 'Log server', host: 'logs.example.org:6514', paused: false, sentAt: ago(2 * HOUR) },
      ...{ behind: 12_940, problem: 'logs.example.org does not take connections.' },
    },
    { id: 'fwd_3', kind: 'webhook', name: 'Archive of the security team', host: 'archive.example.org', paused: true, behind: 41 },
  ],
  acts: [
    { id: '91', at: ago(3 * MINUTE), client: '–', profile: '', tool: 'Trail verified', isAct: true, user: 'ada', outcome: 'ok' },
    {
      id: '90',
      at: ago(2 * HOUR),
      client: '–',
      profile: '',
      tool: 'Receiver of the trail added',
      action: 'Log server',
      isAct: true,
      user: 'ada',
      outcome: 'ok',
    },
    {
      id: '89',
      at: ago(5 * HOUR),
      client: '–',
      profile: '',
      tool: 'Old records removed from the trail',
      action: 'records 1 to 2310',
      isAct: true,
      user: 'Toolpass',
      outcome: 'ok',
    },
    { id: '88', at: ago(DAY), client: 'Claude', profile: 'Work', tool: 'App revoked', isAct: true, user: 'grace', outcome: 'ok' },
  ] as TrailPageProps['acts'],
}

export const trailPages: Record<string, Html> = {
  trail: <TrailPage {...base} />,
  'trail-running': <TrailPage {...base} proof={{ ...proof, proven: 61_200, endedAt: undefined }} />,
  'trail-broken': <TrailPage {...base} proof={{ ...proof, proven: 61_200, broken: { seq: 1_265_712, what: 'row' } }} />,
  'trail-empty': (
    <TrailPage
      {...base}
      size={{ rows: 0, megabytes: 0 }}
      policy={{}}
      checkpoint={undefined}
      proof={undefined}
      forwarders={[]}
      acts={[]}
      form={{ values: { days: '0' }, errors: { days: 'Use a whole number from 1 to 36500, or leave it empty.' } }}
    />
  ),
  'trail-otlp': <TrailForwarderPage shell={shell} kind="otlp" />,
  'trail-syslog': (
    <TrailForwarderPage
      shell={shell}
      kind="syslog"
      form={{ values: { name: 'Logs', host: 'a b', port: '6514' }, errors: { host: 'Give the name or address of a host.' } }}
    />
  ),
  'trail-webhook': <TrailForwarderPage shell={shell} kind="webhook" />,
}
