import { type Command, print, Usage } from './command.ts'
import { perform } from './control.ts'
import { originOf } from './serve.ts'

const USAGE = 'toolpass user add|list|reset-password|disable|enable NAME'

export const user: Command = {
  usage: USAGE,
  summary: 'Manages users. add takes --role admin; --password-stdin reads a password, without it a one-time link is printed.',
  options: { role: { type: 'string' }, 'password-stdin': { type: 'boolean' } },
  run: async ({ config, values, words }) => {
    const [action, username] = words
    if (action === 'list') return printUsers(await perform(config, 'user-list', {}))
    if (!username || words.length !== 2) throw new Usage(`Usage: ${USAGE}`)
    const role = values['role']
    if (role !== undefined && role !== 'admin' && role !== 'member') throw new Usage('--role is admin or member.')
    // From stdin, never from an argument: the process list and the shell's history would keep it.
    const password = values['password-stdin'] ? (await Bun.stdin.text()).replace(/\r?\n$/, '') : undefined
    const input = { username, ...(role ? { role: String(role) } : {}), ...(password ? { password } : {}) }
    switch (action) {
      case 'add':
      case 'reset-password': {
        const { path } = await perform(config, `user-${action}`, input)
        return print(
          path ? `${username} chooses a password here (works once, for a day):\n${originOf(config, config.port)}${path}` : 'Done.',
        )
      }
      case 'disable':
      case 'enable':
        await perform(config, `user-${action}`, input)
        return print('Done.')
      default:
        throw new Usage(`Usage: ${USAGE}`)
    }
  },
}

function printUsers({ users }: Record<string, unknown>): void {
  for (const each of users as { username: string; role: string; disabled: boolean }[])
    print(`${each.username.padEnd(32)} ${each.role.padEnd(8)}${each.disabled ? 'disabled' : ''}`)
}
