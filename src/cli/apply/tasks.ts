/** What `toolpass apply` asks of a house, in steps that are each short: the command tells how far it is in between. */
import type { House } from '@/app.ts'
import { Failure, isFailure } from '@/lib/failure.ts'
import { parseJson } from '@/lib/json.ts'
import { type Change, type Found, type Ground, type Note, PARTS, type Part, sentenceOf } from './change.ts'
import { connectionsOf } from './connections.ts'
import { openMade } from './made.ts'
import { clientsOf, usersOf } from './people.ts'
import { type FoundProfiles, profilesOf } from './profiles.ts'
import { prunedOf } from './prune.ts'
import type { Manifest, Problem } from './shape.ts'

type Input = Record<string, string | undefined>

/** The other side of the socket gives up after longer than this and one more change. */
const STEP_MS = 5_000

export type Planned = { problems: Problem[]; changes: { part: Part; line: string }[]; missing: string[] }
export type Applied = {
  done: { line: string; notes: Note[] }[]
  failed: { line: string; message: string }[]
  more: boolean
  missing: string[]
}
export type Awaited = { waiting: string[] }

async function groundOf(house: House, input: Input): Promise<Ground> {
  const users = new Map((await house.users.list()).map((user) => [user.usernameKey, user]))
  return { house, manifest: parseJson(input['manifest'] ?? '') as Manifest, made: openMade(house.config.dataDir), users }
}

async function plan(ground: Ground, isPruning: boolean): Promise<Found & Pick<FoundProfiles, 'missing'>> {
  const profiles = await profilesOf(ground)
  const parts = [usersOf(ground), await clientsOf(ground), await connectionsOf(ground), profiles]
  const changes = [...parts.flatMap((part) => part.changes), ...(isPruning ? await prunedOf(ground) : [])]
  return { changes, problems: parts.flatMap((part) => part.problems), missing: profiles.missing }
}

export const APPLY_TASKS = {
  /** The difference, and nothing is done about it. */
  'apply-plan': async (house: House, input: Input): Promise<Planned> => {
    const { changes, problems, missing } = await plan(await groundOf(house, input), input['prune'] === 'yes')
    return { problems, changes: changes.map(({ part, line }) => ({ part, line })), missing }
  },
  /** Makes the changes of one part, for a few seconds; `skip` names those that failed before. */
  'apply-part': async (house: House, input: Input): Promise<Applied> => {
    const part = PARTS.find((each) => each === input['part'])
    const { changes, problems, missing } = await plan(await groundOf(house, input), part === 'prune')
    if (problems.length > 0) throw new Failure('bad_request', { message: 'Something changed meanwhile. Run it again.' })
    const skipped = new Set(parseJson(input['skip'] ?? '[]') as string[])
    const open = changes.filter((change) => change.part === part && !skipped.has(change.line))
    const until = house.clock() + STEP_MS
    const applied: Applied = { done: [], failed: [], more: false, missing }
    for (const change of open) {
      if (house.clock() > until) return { ...applied, more: true }
      await make(house, change, applied)
    }
    return applied
  },
  /** Waits a little for connections whose tools a profile needs; at first it tries those again that have not listed them. */
  'apply-wait': async (house: House, input: Input): Promise<Awaited> => {
    const { connections } = house
    const { without, used } = await profilesOf(await groundOf(house, input))
    if (input['begin'] === 'yes')
      for (const { id, ownerId } of without)
        if (connections.probeOf(id).done) {
          const owner = await house.users.find(ownerId)
          if (owner) await connections.check(owner, id)
        }
    const underWay = () => used.filter(({ id }) => !connections.probeOf(id).done)
    const { promise: elapsed, resolve: elapse } = Promise.withResolvers<void>()
    const timer = setTimeout(elapse, STEP_MS)
    await Promise.race([Promise.all(underWay().map(({ id }) => connections.waitForProbe(id))), elapsed])
    // A timer that is left would keep the command from ending.
    clearTimeout(timer)
    return { waiting: [...new Set(underWay().map(({ name }) => name))] }
  },
}

async function make(house: House, { line, run }: Change, applied: Applied): Promise<void> {
  try {
    applied.done.push({ line, notes: await run() })
  } catch (error) {
    if (!isFailure(error)) house.log.error('a declared change failed', error)
    applied.failed.push({ line, message: isFailure(error) ? sentenceOf(error) : 'Something went wrong; the log of Toolpass says why.' })
  }
}
