import { readFileSync, statSync } from 'node:fs'
import { environment } from '@/config'
import { readImport } from '@/connections'
import { type Command, print, Usage } from './command.ts'
import { perform } from './control.ts'

const USAGE = 'toolpass import FILE [--user NAME] [--dry-run]'
const FILE_BYTES_MAX = 250 * 1024

type Row = { key: string; name: string; connector: string; summary: string; warnings: string[]; problem?: string; missing: string[] }
type Done = { rows: Row[]; made: string[]; refused: { name: string; problem: string }[] }

export const importFile: Command = {
  usage: USAGE,
  summary: 'Makes connections from an mcp.json or its like. What the file leaves open is taken from the environment of this command.',
  options: { user: { type: 'string' }, 'dry-run': { type: 'boolean' } },
  run: async ({ config, values, words }) => {
    const [path] = words
    if (!path || words.length !== 1) throw new Usage(`Usage: ${USAGE}`)
    const asked = { text: contentOf(path), username: typeof values['user'] === 'string' ? values['user'] : undefined }
    const dry = values['dry-run'] === true ? { dryRun: 'on' } : {}
    const done = (await perform(config, 'import', { ...asked, ...dry, values: JSON.stringify(valuesFor(asked.text)) })) as Done
    for (const row of done.rows) tell(row)
    for (const { name, problem } of done.refused) print(`  not made: ${name}: ${problem}`)
    if (values['dry-run'] === true) print('Nothing was made: this was a dry run.')
    else print(`Connections made: ${done.made.length}${done.made.length > 0 ? ` (${done.made.join(', ')})` : ''}.`)
    if (done.refused.length > 0) process.exitCode = 1
  },
}

/** Of this command's environment what the file asks for, and nothing else. */
function valuesFor(text: string): Record<string, string> {
  const read = readImport(text)
  const env = environment()
  const variables = 'problem' in read ? [] : read.variables
  return Object.fromEntries(variables.flatMap(({ name, label }) => (env[label] ? [[name, env[label]] as const] : [])))
}

function contentOf(path: string): string {
  try {
    if (statSync(path).size > FILE_BYTES_MAX) throw new Usage(`${path} is larger than ${FILE_BYTES_MAX / 1024} KB.`)
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Usage) throw error
    throw new Usage(`${path} cannot be read.`)
  }
}

function tell({ key, name, connector, summary, warnings, problem, missing }: Row): void {
  print(`${key}${name === key ? '' : ` → ${name}`}  ${problem ? `left out: ${problem}` : `${connector}  ${summary}`}`)
  for (const warning of problem ? [] : warnings) print(`  ${warning}`)
  if (!problem && missing.length > 0) print(`  Not in the environment: ${missing.join(', ')}.`)
}
