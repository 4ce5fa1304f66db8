import { createInterface } from 'node:readline/promises'
import { environment } from '@/config'
import type { Part } from './apply/change.ts'
import type { Manifest } from './apply/shape.ts'
import type { Applied, Awaited, Planned } from './apply/tasks.ts'
import { type Command, print as printRaw, Usage } from './command.ts'
import { createReach } from './control.ts'
import { originOf } from './serve.ts'

const USAGE = 'toolpass apply FILE [--dry-run] [--prune [--yes]]'
const MANIFEST_CHARS_MAX = 1024 * 1024
const WAIT_MS = 30_000

/** Names in a file may hold what moves a cursor. */
const print = (text: string) => printRaw(text.replace(/[^\P{Cc}\n]/gu, '\u{fffd}'))

export const apply: Command = {
  usage: USAGE,
  summary: 'Makes users, connections, profiles and clients as a YAML file declares them. --prune removes what it made before.',
  options: { 'dry-run': { type: 'boolean' }, prune: { type: 'boolean' }, yes: { type: 'boolean' } },
  run: async ({ config, values, words }) => {
    const [path] = words
    if (!path || words.length !== 1) throw new Usage(`Usage: ${USAGE}`)
    // Only this command reads such files; a start of the server need not load what does.
    const { readFile } = await import('./apply/file.ts')
    const { manifest, refuse } = readFile(path, environment())
    const text = JSON.stringify(manifest)
    if (text.length > MANIFEST_CHARS_MAX) throw new Error(`${path} declares too much at once, secrets included. Split it.`)
    const isPruning = values['prune'] === true
    const reach = createReach(config)
    try {
      const asked = { manifest: text, ...(isPruning ? { prune: 'yes' } : {}) }
      const planned = (await reach.perform('apply-plan', asked)) as Planned
      if (planned.problems.length > 0) throw refuse(planned.problems)
      if (values['dry-run']) return printPlan(planned)
      await confirm(planned, values['yes'] === true)
      await carryOut({ manifest, text, origin: originOf(config, config.port), isPruning, perform: reach.perform })
    } finally {
      await reach.end()
    }
  },
}

function printPlan({ changes, missing }: Planned): void {
  for (const { line } of changes) print(line)
  for (const line of missing) print(`? ${line}`)
  print(changes.length === 0 ? 'Nothing to do.' : 'Nothing was changed (--dry-run).')
}

/** Before anything is done: half a run would be neither the old state nor the new. */
async function confirm({ changes }: Planned, isSure: boolean): Promise<void> {
  const removals = changes.filter(({ part }) => part === 'prune')
  if (removals.length === 0 || isSure) return
  for (const { line } of removals) print(line)
  if (!process.stdin.isTTY) throw new Error('--prune would remove the above. Say --yes to agree; nothing was changed.')
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  const answer = await terminal.question(`Remove ${removals.length === 1 ? 'this' : `these ${removals.length}`}? [y/N] `)
  terminal.close()
  if (!/^y(es)?$/i.test(answer.trim())) throw new Error('Nothing was changed.')
}

type Run = {
  manifest: Manifest
  text: string
  origin: string
  isPruning: boolean
  perform: ReturnType<typeof createReach>['perform']
}

async function carryOut(run: Run): Promise<void> {
  const tally = { done: 0, failed: 0 }
  for (const part of ['users', 'clients', 'connections'] as const) await carryOutPart(run, part, tally)
  if (run.manifest.profiles.length > 0) await waitForTools(run)
  const { missing } = await carryOutPart(run, 'profiles', tally)
  for (const line of missing) print(`! ${line}`)
  if (run.isPruning) await carryOutPart(run, 'prune', tally)
  const isWhole = tally.failed === 0 && missing.length === 0
  if (tally.done === 0 && isWhole) return print('Nothing to do.')
  if (!isWhole) throw new Error('Not everything could be made as declared; the lines marked "!" say what is missing.')
  print(`Done: ${tally.done} ${tally.done === 1 ? 'change' : 'changes'}.`)
}

async function carryOutPart({ perform, text, origin }: Run, part: Part, tally: { done: number; failed: number }): Promise<Applied> {
  const skip: string[] = []
  for (;;) {
    const applied = (await perform('apply-part', { manifest: text, part, skip: JSON.stringify(skip) })) as Applied
    for (const { line, notes } of applied.done) {
      print(line)
      for (const note of notes) print(note.path ? `${note.text}\n${origin}${note.path}` : note.text)
    }
    for (const { line, message } of applied.failed) {
      print(`! ${line}: ${message}`)
      skip.push(line)
    }
    tally.done += applied.done.length
    tally.failed += applied.failed.length
    if (!applied.more) return applied
  }
}

/** A new connection has to list its tools before a profile can name them. */
async function waitForTools({ perform, text }: Run): Promise<void> {
  const until = Date.now() + WAIT_MS
  let told = ''
  for (let begin: { begin?: string } = { begin: 'yes' }; ; begin = {}) {
    const { waiting } = (await perform('apply-wait', { manifest: text, ...begin })) as Awaited
    if (waiting.length === 0 || Date.now() > until) return
    const line = `Waiting for the tools of ${waiting.join(', ')} …`
    if (line !== told) print(line)
    told = line
  }
}
