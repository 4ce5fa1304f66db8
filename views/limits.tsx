/**
 * How much an app, a connection or a user may take, with how much of it is used just now.
 * POST /apps/:id/limits, /connections/:id/limits, /admin/users/:id/limits — calls_per_minute, calls_per_day, calls_at_once, result_kb,
 *   call_seconds: each a whole number, or empty for no limit. A refused form comes back as `LimitsPage`.
 */
import type { Child } from './jsx-runtime.ts'
import { Layout, type Shell } from './layout.tsx'
import { Button } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { FormProblem, type FormState, TextField } from './parts/field.tsx'
import { counted, foreign, size } from './parts/format.ts'
import { Ago } from './parts/time.tsx'

export type LimitValues = {
  callsPerMinute: number | null
  callsPerDay: number | null
  callsAtOnce: number | null
  resultBytes: number | null
  callSeconds: number | null
}
export type LimitUse = { minute: number; today: number; now: number }
export type LimitsSeen = { limit: LimitValues; use: LimitUse; byName: string; at: number }
export type LimitsProps = {
  kind: 'app' | 'connection' | 'user'
  /** Where it is sent. */
  action: string
  seen?: LimitsSeen | undefined
  /** Of others, which hold here too: the strictest decides. */
  also: readonly { what: string; seen: LimitsSeen }[]
  form?: FormState | undefined
}

const LEADS: Record<LimitsProps['kind'], string> = {
  app: 'How much this app may take. What is empty is without limit.',
  connection: 'How much all apps of everyone may take of this connection together. What is empty is without limit.',
  user: 'How much all apps of this user may take together. What is empty is without limit.',
}

const usedOf = (used: number, max: number | null, when: string): string | undefined =>
  max === null ? undefined : `${counted(used)} of ${counted(max)} ${when}`

/** What is used of what can be used up. */
const usesIn = ({ limit, use }: LimitsSeen): string[] =>
  [
    usedOf(use.minute, limit.callsPerMinute, 'in the last minute'),
    usedOf(use.today, limit.callsPerDay, 'today'),
    usedOf(use.now, limit.callsAtOnce, 'running'),
  ].filter((line) => line !== undefined)

const limitsIn = ({ limit }: LimitsSeen): string[] => [
  ...(limit.resultBytes === null ? [] : [`results up to ${size(limit.resultBytes)}`]),
  ...(limit.callSeconds === null ? [] : [`calls up to ${counted(limit.callSeconds)} s`]),
]

const Meter = (p: { used: number; max: number | null; when: string }) =>
  p.max === null ? (
    <></>
  ) : (
    <>
      <meter min="0" max={p.max} value={p.used} high={p.max * 0.9} aria-hidden="true" />
      <span>{usedOf(p.used, p.max, p.when)}</span>
    </>
  )

type Part = { name: string; label: string; value: number | null; max: number; hint?: Child; use?: Child }

const partsOf = ({ kind, seen }: LimitsProps): Part[] => {
  const { limit, use } = seen ?? { limit: undefined, use: { minute: 0, today: 0, now: 0 } }
  const value = (part: keyof LimitValues) => limit?.[part] ?? null
  const bytes = value('resultBytes')
  const meter = (used: number, part: keyof LimitValues, when: string) => <Meter used={used} max={value(part)} when={when} />
  return [
    {
      ...{ name: 'calls_per_minute', label: 'Calls a minute', value: value('callsPerMinute'), max: 100_000 },
      use: meter(use.minute, 'callsPerMinute', 'in the last minute'),
    },
    {
      ...{ name: 'calls_per_day', label: 'Calls a day', value: value('callsPerDay'), max: 10_000_000 },
      use: meter(use.today, 'callsPerDay', 'today'),
      hint: 'A day begins at midnight UTC.',
    },
    {
      ...{ name: 'calls_at_once', label: 'Calls at once', value: value('callsAtOnce'), max: 1_000 },
      use: meter(use.now, 'callsAtOnce', 'running'),
      hint: kind === 'app' ? '256 where nothing is set.' : undefined,
    },
    {
      ...{ name: 'result_kb', label: 'Result in kB', value: bytes === null ? null : bytes / 1_000, max: 16_000 },
      hint: 'What is more is cut off, and kept for an hour.',
    },
    {
      ...{ name: 'call_seconds', label: 'Seconds a call', value: value('callSeconds'), max: 600 },
      hint: '600 where nothing is set.',
    },
  ]
}

const Also = ({ also }: Pick<LimitsProps, 'also'>) =>
  also.length === 0 ? (
    <></>
  ) : (
    <div class="limits-also">
      <p class="muted">These hold here as well; the strictest decides.</p>
      <ul>
        {also.map(({ what, seen }) => (
          <li>
            <bdi>{foreign(what, 60)}</bdi>: {[...usesIn(seen), ...limitsIn(seen)].join(', ')}
          </li>
        ))}
      </ul>
    </div>
  )

export const LimitsCard = (p: LimitsProps) => (
  <Card title="Limits" lead={LEADS[p.kind]} id="limits">
    <form class="stack" method="post" action={p.action}>
      <FormProblem form={p.form} />
      <div class="limits">
        {partsOf(p).map(({ name, label, value, max, hint, use }) => (
          <div>
            <TextField
              scope="limits"
              type="number"
              name={name}
              label={label}
              value={value === null ? undefined : String(value)}
              min={1}
              max={max}
              form={p.form}
              hint={hint}
            />
            {use && <p class="limit-use">{use}</p>}
          </div>
        ))}
      </div>
      <Also also={p.also} />
      <div class="actions">
        <Button>Save limits</Button>
        {p.seen && (
          <span class="muted">
            Set by <bdi>{p.seen.byName}</bdi> <Ago at={p.seen.at} />
          </span>
        )}
      </div>
    </form>
  </Card>
)

const PLACES = { app: 'apps', connection: 'connections', user: 'admin' } as const

/** A user's, and any whose form was refused. */
export const LimitsPage = (p: { shell: Shell; name: string; back: { href: string; label: string }; limits: LimitsProps }) => (
  <Layout shell={p.shell} title={`Limits of ${foreign(p.name, 60)}`} current={PLACES[p.limits.kind]}>
    <PageHead back={p.back} title={<bdi>{foreign(p.name, 60)}</bdi>} />
    <div class="narrow">
      <LimitsCard {...p.limits} />
    </div>
  </Layout>
)
