import type { Plugins, Reloaded, Running } from '@/plugins'
import { type PluginSummary, PluginsPage } from '@views/plugins.tsx'
import type { Page, Seen } from './needs.ts'

type Deps = Page & { plugins: Pick<Plugins, 'running' | 'setAside' | 'reload' | 'folder'> }

/** Plugins: which run, which were set aside and why, and reading their folder again. */
export const pluginsRoutes = ({ doors, reply, shell, plugins }: Deps) =>
  doors
    .admin('/admin/plugins')
    .get('/', ({ request, user }: Seen) =>
      reply.page(
        <PluginsPage
          shell={shell.full(request, user)}
          running={plugins.running().map(summaryOf)}
          setAside={plugins.setAside()}
          folder={plugins.folder()}
        />,
        { cookies: shell.said(request) },
      ),
    )
    .post('/reload', async ({ request, incoming, user }: Seen) => {
      const changed = await plugins.reload({ userId: user.id, userName: user.username })
      const tone = changed.setAside > 0 ? 'bad' : 'good'
      return reply.to(request, '/admin/plugins', { cookies: [reply.notice(incoming, { tone, text: sentenceFor(changed) })] })
    })

const NAMES_SHOWN_MAX = 5
const named = (ids: readonly string[]) =>
  ids.length > NAMES_SHOWN_MAX ? `${ids.slice(0, NAMES_SHOWN_MAX).join(', ')} and ${ids.length - NAMES_SHOWN_MAX} more` : ids.join(', ')

function sentenceFor({ started, stopped, setAside }: Reloaded): string {
  const fresh = started.filter((id) => !stopped.includes(id))
  const again = started.filter((id) => stopped.includes(id))
  const gone = stopped.filter((id) => !started.includes(id))
  const parts = [
    fresh.length > 0 && `Started ${named(fresh)}.`,
    again.length > 0 && `Started again ${named(again)}.`,
    gone.length > 0 && `Stopped ${named(gone)}.`,
    setAside > 0 && `${setAside} set aside, see below.`,
  ].filter((part) => part !== false)
  return (parts.join(' ') || 'Nothing has changed.').slice(0, 300)
}

const summaryOf = ({ plugin, folder, description = '' }: Running): PluginSummary => ({
  id: plugin.id,
  title: plugin.title,
  version: plugin.version,
  description,
  folder,
  brings: [
    ...(plugin.connectors ?? []).map(({ title }) => ({ kind: 'Connector', title })),
    ...(plugin.oauthProviders ?? []).map(({ title }) => ({ kind: 'OAuth provider', title })),
    ...(plugin.loginProviders ?? []).map(({ title }) => ({ kind: 'Login provider', title })),
  ],
})
