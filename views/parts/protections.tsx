import { Status } from './badge.tsx'
import { Facts } from './card.tsx'
import { foreign } from './format.ts'
import { Ago } from './time.tsx'

export type Protection = { name: string; active: boolean; detail: string }

/** Each with a word for its state; the ones that are missing here first. */
export const Protections = (p: { protections: readonly Protection[] }) => (
  <ul class="protections">
    {[...p.protections]
      .sort((one, other) => Number(one.active) - Number(other.active))
      .map(({ name, active, detail }) => (
        <li>
          <Status tone={active ? 'ok' : 'warning'}>{active ? 'Active' : 'Not here'}</Status>
          <span>
            <span class="strong">{name}.</span> {detail}
          </span>
        </li>
      ))}
  </ul>
)

const MEBIBYTE = 1024 * 1024
export const MemoryOf = (p: { memoryBytes: number; memoryMb: number }) => (
  <span class="nowrap">
    {Math.round(p.memoryBytes / MEBIBYTE)} <span class="muted">of {p.memoryMb} MB</span>
  </span>
)

export type ProgramFoldProps = {
  protections: readonly Protection[]
  /** What its first start downloads, and from where. */
  fetches?: string | undefined
  running?: { pid: number; since: number; memoryBytes: number; memoryMb: number; inFlight: number } | undefined
  /** It ended by itself again and again, and waits. */
  resting?: { until: number; problem: string } | undefined
}

const inSeconds = (until: number) => Math.max(1, Math.ceil((until - Date.now()) / 1000))

const stateOf = ({ running, resting }: ProgramFoldProps) => {
  if (running) return <Status tone="ok">Running</Status>
  if (resting) return <Status tone="danger">{`Restarts in ${inSeconds(resting.until)} s`}</Status>
  return <Status tone="neutral">Stopped until it is used</Status>
}

/** The program behind a connection, on the connection's page. */
export const ProgramFold = (p: ProgramFoldProps) => (
  <section class="card">
    <header class="card-head">
      <div>
        <h2>Program</h2>
      </div>
    </header>
    <div class="card-body stack">
      <Facts
        items={[
          ['State', stateOf(p)],
          ...(p.resting ? ([['Why', foreign(p.resting.problem, 300)]] as const) : []),
          ...(p.running
            ? ([
                ['Process', String(p.running.pid)],
                ['Since', <Ago at={p.running.since} />],
                ['Memory', <MemoryOf {...p.running} />],
                ['Requests under way', String(p.running.inFlight)],
              ] as const)
            : []),
        ]}
      />
      {p.fetches && <p class="muted">{foreign(p.fetches, 300)}</p>}
      <details class="fold">
        <summary>What protects this machine from it</summary>
        <Protections protections={p.protections} />
      </details>
    </div>
  </section>
)
