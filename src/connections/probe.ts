import type { Clock } from '@/lib/clock.ts'
import { Failure, isFailure } from '@/lib/failure.ts'
import type { ConnectionId } from '@/lib/ids.ts'
import type { Log } from '@/lib/log.ts'
import type { Agreed } from './session.ts'

/** How many of each it offers. */
export type Found = { tools: number; prompts: number; resources: number }
type State = 'waiting' | 'running' | 'ok' | 'warning' | 'failed'
/** As `views/probe.tsx` shows it. */
export type ProbeStep = { id: 'reachable' | 'protocol' | 'tools'; title: string; state: State; text?: string; durationMs?: number }
export type Probe = { steps: ProbeStep[]; done: boolean }

type Deps = {
  clock: Clock
  log: Pick<Log, 'error'>
  /** Opens and negotiates. @throws Failure */
  open(id: ConnectionId): Promise<Agreed>
  /** Lists and stores. @throws Failure */
  list(id: ConnectionId): Promise<Found>
  note(id: ConnectionId, seen: { status: 'ready' | 'failing'; problem: string | null; checkedAt: number }): Promise<void>
}

const waiting = (): ProbeStep[] => [
  { id: 'reachable', title: 'Reach the server', state: 'waiting' },
  { id: 'protocol', title: 'Agree on how to speak', state: 'waiting' },
  { id: 'tools', title: 'List its tools', state: 'waiting' },
]
const PROBES_KEPT_MAX = 500

/** Tries connections in the background, one try at a time for each, and keeps what the last one found. */
export function createProbes(deps: Deps) {
  const probes = new Map<ConnectionId, Probe>()
  const running = new Map<ConnectionId, Promise<void>>()

  const start = (id: ConnectionId): Promise<void> => {
    const known = running.get(id)
    if (known) return known
    const probe: Probe = { steps: waiting(), done: false }
    probes.delete(id)
    probes.set(id, probe)
    for (const oldest of probes.keys()) if (probes.size > PROBES_KEPT_MAX) probes.delete(oldest)
    const run = probeOnce(deps, id, probe)
      .catch((error) => deps.log.error('a connection could not be tried', error, { connection: id }))
      .finally(() => {
        probe.done = true
        running.delete(id)
      })
    running.set(id, run)
    return run
  }
  return {
    start,
    of: (id: ConnectionId): Probe => probes.get(id) ?? { steps: [], done: true },
    wait: async (id: ConnectionId): Promise<void> => running.get(id),
    settled: async (): Promise<void> => void (await Promise.all(running.values())),
  }
}

async function probeOnce({ clock, open, list, note }: Deps, id: ConnectionId, probe: Probe): Promise<void> {
  const [reachable, protocol, tools] = probe.steps as [ProbeStep, ProbeStep, ProbeStep]
  const startedAt = clock()
  const settle = (step: ProbeStep, state: State, text: string, since: number) =>
    Object.assign(step, { state, text, durationMs: Math.max(0, clock() - since) })
  const fail = async (step: ProbeStep, error: unknown, since: number) => {
    const sentence = error instanceof Failure ? error.message : 'Something went wrong here.'
    settle(step, isFailure(error, 'sign_in_needed') ? 'warning' : 'failed', sentence, since)
    await note(id, { status: 'failing', problem: sentence, checkedAt: clock() })
    if (!(error instanceof Failure)) throw error
  }

  reachable.state = 'running'
  let agreed: Agreed
  try {
    agreed = await open(id)
  } catch (error) {
    // Whoever refuses the credential or speaks another language has been reached.
    const isReached = error instanceof Failure && error.code !== 'upstream_unreachable' && error.code !== 'plugin_missing'
    if (isReached) settle(reachable, 'ok', 'It answers.', startedAt)
    return fail(isReached ? protocol : reachable, error, startedAt)
  }
  const openedAt = clock()
  settle(reachable, 'ok', 'It answers.', startedAt)
  settle(protocol, 'ok', sentenceFor(agreed), openedAt)

  tools.state = 'running'
  try {
    const found = await list(id)
    settle(tools, found.tools + found.prompts + found.resources === 0 ? 'warning' : 'ok', sentenceAbout(found), openedAt)
  } catch (error) {
    return fail(tools, error, openedAt)
  }
  await note(id, { status: 'ready', problem: null, checkedAt: clock() })
}

function sentenceAbout({ tools, prompts, resources }: Found): string {
  const counted = (count: number, one: string) => (count === 1 ? `one ${one}` : `${count} ${one}s`)
  const parts = [
    tools > 0 && counted(tools, 'tool'),
    prompts > 0 && counted(prompts, 'prompt'),
    resources > 0 && counted(resources, 'resource'),
  ]
  const said = parts.filter((part) => part !== false)
  if (said.length === 0) return 'It offers no tools.'
  const last = said.pop() as string
  return `It offers ${said.length > 0 ? `${said.join(', ')} and ${last}` : last}.`
}

function sentenceFor({ revision, serverInfo }: Agreed): string {
  const { title, name } = serverInfo
  const called = typeof title === 'string' ? title : typeof name === 'string' ? name : undefined
  return `${called === undefined ? 'It' : called.slice(0, 80)} speaks MCP of ${revision}.`
}
