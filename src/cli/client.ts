import { type Command, print, Usage } from './command.ts'
import { perform } from './control.ts'

const USAGE = 'toolpass client add|list|approve|block|unblock|remove ID'
const ADD = 'toolpass client add --name NAME --redirect URI [--redirect URI ...] [--confidential]'

export const client: Command = {
  usage: USAGE,
  summary: `Manages registered apps. ${ADD} prints the client ID, and for --confidential the secret, once.`,
  options: { name: { type: 'string' }, redirect: { type: 'string', multiple: true }, confidential: { type: 'boolean' } },
  run: async ({ config, values, words }) => {
    const [action, id] = words
    if (action === 'add' && words.length === 1) return add(config, values)
    if (action === 'list' && words.length === 1) return printClients(await perform(config, 'client-list', {}))
    if (!id || words.length !== 2) throw new Usage(`Usage: ${USAGE}`)
    switch (action) {
      case 'approve':
      case 'block':
      case 'unblock':
        await perform(config, `client-${action}`, { id })
        return print('Done.')
      case 'remove': {
        const { apps } = await perform(config, 'client-remove', { id })
        return print(`Done. Connected apps that ended: ${String(apps)}.`)
      }
      default:
        throw new Usage(`Usage: ${USAGE}`)
    }
  },
}

async function add(config: Parameters<Command['run']>[0]['config'], values: Parameters<Command['run']>[0]['values']): Promise<void> {
  const { name, redirect } = values
  if (typeof name !== 'string' || !Array.isArray(redirect)) throw new Usage(`Usage: ${ADD}`)
  const confidential = values['confidential'] ? { confidential: 'on' } : {}
  const made = await perform(config, 'client-add', { name, redirects: redirect.join('\n'), ...confidential })
  print(`Client ID: ${String(made['identifier'])}`)
  if (made['secret']) print(`Client secret, shown this once: ${String(made['secret'])}`)
}

function printClients({ clients }: Record<string, unknown>): void {
  for (const each of clients as { id: string; kind: string; state: string; apps: number; name: string; identifier: string }[])
    print(
      `${each.id}  ${each.kind.padEnd(11)}${each.state.padEnd(11)}${String(each.apps).padStart(4)} apps  ${each.name}` +
        (each.identifier === each.id ? '' : `  ${each.identifier}`),
    )
}
