/** The command line: which command, with which settings; one file a command. */
import { parseArgs } from 'node:util'
import { asFlag, ConfigProblem, environment, loadConfig, SETTING_NAMES, type SettingName } from '@/config'
import { Failure } from '@/lib/failure.ts'
import { apply } from './apply.ts'
import { client } from './client.ts'
import { type Command, print, Usage } from './command.ts'
import { importFile } from './import.ts'
import { healthcheck } from './healthcheck.ts'
import { plugins } from './plugins.ts'
import { serve } from './serve.ts'
import { setupLink } from './setup-link.ts'
import { user } from './user.ts'
import { version } from './version.ts'

const COMMANDS: Record<string, Command> = {
  serve,
  'setup-link': setupLink,
  user,
  client,
  import: importFile,
  apply,
  plugins,
  healthcheck,
  version,
}

/** Runs one command and sets the exit status: 0 done, 1 not done, 2 called wrongly. */
export async function run(argv: readonly string[]): Promise<void> {
  process.umask(0o077)
  const [first = 'serve', ...rest] = argv
  const isNamed = !first.startsWith('-')
  const name = isNamed ? first : 'serve'
  try {
    if (first === '--help' || first === '-h' || first === 'help') return print(help())
    const command = COMMANDS[name]
    if (!command) throw new Usage(`There is no command "${name}".\n\n${help()}`)
    await execute(name, command, isNamed ? rest : [...argv])
  } catch (error) {
    process.exitCode = error instanceof Usage ? 2 : 1
    const expected = error instanceof Usage || error instanceof ConfigProblem || error instanceof Failure
    if (expected) process.stderr.write(`${sentenceOf(error)}\n`)
    else process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  }
}

const sentenceOf = (error: Error) =>
  error instanceof Failure && Object.values(error.fields).length > 0 ? Object.values(error.fields).join(' ') : error.message

async function execute(name: string, command: Command, argv: string[]): Promise<void> {
  const settingFlags = Object.fromEntries(SETTING_NAMES.map((setting) => [asFlag(setting), { type: 'string' as const }]))
  const options = {
    ...settingFlags,
    config: { type: 'string' as const },
    help: { type: 'boolean' as const, short: 'h' },
    ...command.options,
  }
  const { values, positionals } = parse(argv, options)
  if (values['help']) return print(`${command.usage}\n\n${command.summary}`)
  const flags = Object.fromEntries(
    SETTING_NAMES.flatMap((setting) => (values[asFlag(setting)] === undefined ? [] : [[setting, values[asFlag(setting)]]])),
  )
  const file = values['config'] as string | undefined
  const config = loadConfig({ flags: flags as Partial<Record<SettingName, string>>, env: environment(), ...(file ? { file } : {}) })
  await command.run({ config, name, values, words: positionals })
}

type Options = NonNullable<Parameters<typeof parseArgs>[0]>['options']
function parse(args: string[], options: NonNullable<Options>) {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true }) as {
      values: Record<string, string | boolean | string[] | undefined>
      positionals: string[]
    }
  } catch (error) {
    throw new Usage((error as Error).message)
  }
}

function help(): string {
  const lines = Object.values(COMMANDS).map(({ usage, summary }) => `  ${usage.padEnd(52)} ${summary}`)
  return [
    'Toolpass: single sign-on for MCP, on your own machine.',
    '',
    'Usage: toolpass [command] [--setting value ...]',
    '',
    ...lines,
    '',
    'Every setting can be a flag (--port), a variable (TOOLPASS_PORT), or a line of toolpass.yaml (port).',
  ].join('\n')
}
