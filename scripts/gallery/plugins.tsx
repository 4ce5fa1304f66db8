/** The plugins page: the built-in ones alone, and with good, broken and hostile ones from outside. */
import type { Html } from '@views/jsx-runtime'
import { type PluginSummary, PluginsPage } from '@views/plugins.tsx'
import { EVIL, LONG, shell, toasted } from './samples.ts'

const FOLDER = '/var/lib/toolpass/plugins'
const builtIn: readonly PluginSummary[] = [
  {
    id: 'streamable-http',
    title: 'Streamable HTTP',
    version: '1.0.0',
    description: '',
    brings: [{ kind: 'Connector', title: 'Remote server (Streamable HTTP)' }],
  },
  { id: 'stdio', title: 'stdio', version: '1.0.0', description: '', brings: [{ kind: 'Connector', title: 'Program on this machine' }] },
]
const outside: readonly PluginSummary[] = [
  {
    id: 'dice',
    title: 'Dice',
    version: '1.2.0',
    description: 'Throws dice for whoever asks.',
    folder: `${FOLDER}/dice`,
    brings: [
      { kind: 'Connector', title: 'Dice' },
      { kind: 'OAuth provider', title: 'Casino' },
    ],
  },
  { id: 'long', title: EVIL, version: '0.0.1-nightly.20261124', description: LONG, folder: `${FOLDER}/${LONG}`, brings: [] },
]

export const pluginsPages: Record<string, Html> = {
  plugins: <PluginsPage shell={shell} running={builtIn} setAside={[]} folder={FOLDER} />,
  'plugins-outside': (
    <PluginsPage
      shell={toasted}
      running={[...builtIn, ...outside]}
      setAside={[
        {
          id: 'weather',
          title: 'Weather',
          version: '2.0.0',
          folder: `${FOLDER}/weather`,
          reason: 'It needs the package "lodash", which is not installed. Run "BUN_BE_BUN=1 toolpass install" in its folder.',
        },
        { id: 'half-done', folder: `${FOLDER}/half-done`, reason: 'plugin.json is not valid JSON.' },
        { id: 'evil', title: EVIL, version: '1.0.0', folder: `${FOLDER}/evil`, reason: `It threw while it was loaded: ${EVIL} ${LONG}` },
      ]}
      folder={FOLDER}
    />
  ),
}
