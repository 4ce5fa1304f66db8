import { type Command, print } from './command.ts'
import { perform } from './control.ts'
import { originOf } from './serve.ts'

export const setupLink: Command = {
  usage: 'toolpass setup-link',
  summary: 'Prints a new set-up link; the earlier one stops working.',
  run: async ({ config }) => {
    const { path } = await perform(config, 'setup-link', {})
    print(originOf(config, config.port) + String(path))
  },
}
