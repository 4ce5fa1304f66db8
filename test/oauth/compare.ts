/**
 * One case, two servers. What a case observes is written down as a value and compared: the same for both, or another one for
 * the oracle together with the reason why both are right.
 */
import { afterAll, expect, test } from 'bun:test'
import { startOracle } from './oracle.ts'
import { createTalk, type Talk } from './talking.ts'
import { startOurs } from './toolpass.ts'

type Beside<Seen> =
  | { oracle?: never; differs?: never; only?: never }
  /** What the oracle does instead, and why that is no fault of either. */
  | { oracle: Seen; differs: string; only?: never }
  /** Why the oracle is not asked. */
  | { only: string; oracle?: never; differs?: never }
export type Case<Input, Seen> = { name: string; input: Input; sees: Seen } & Beside<Seen>

const TIMEOUT_MS = 20_000

export async function openSuite(env: Record<string, string> = {}) {
  const [ours, oracle] = await Promise.all([startOurs(env), startOracle()])
  afterAll(() => Promise.all([ours.stop(), oracle.stop()]))
  const talks = { ours: createTalk(ours), oracle: createTalk(oracle) }

  function one<Seen>(name: string, sees: Seen, observe: (talk: Talk) => Promise<Seen>, beside: Beside<Seen> = {}) {
    test(name, async () => expect<unknown>(await observe(talks.ours)).toEqual(sees), TIMEOUT_MS)
    if (beside.only !== undefined) return
    const { differs } = beside
    const other = 'oracle' in beside ? beside.oracle : sees
    const named = `${name} · the oracle${differs === undefined ? '' : `, which differs: ${differs}`}`
    test(
      named,
      async () => {
        expect<unknown>(await observe(talks.oracle)).toEqual(other)
        // A note that the oracle differs must not outlive the difference.
        if (differs !== undefined) expect<unknown>(other).not.toEqual(sees)
      },
      TIMEOUT_MS,
    )
  }
  function each<Input, Seen>(cases: readonly Case<Input, Seen>[], observe: (talk: Talk, input: Input) => Promise<Seen>) {
    for (const { name, input, sees, ...beside } of cases) one(name, sees, (talk) => observe(talk, input), beside as Beside<Seen>)
  }
  return { ...talks, one, each }
}
