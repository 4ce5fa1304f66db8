import packageJson from '../../package.json' with { type: 'json' }
import { type Command, print } from './command.ts'

export const version: Command = {
  usage: 'toolpass version',
  summary: 'Prints the version.',
  run: async () => print(`toolpass ${packageJson.version} (bun ${Bun.version})`),
}
