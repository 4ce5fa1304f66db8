/** What Toolpass does with plugins from outside: loading, setting aside, changing them while it runs. */
import type { Requirement } from '../requirements.ts'

const GUIDE = 'docs/guides/writing-a-plugin.md'

export const plugins: readonly Requirement[] = [
  {
    id: 'ABUSE-61',
    says: 'A plugin that throws late, hangs, or has a broken manifest is named and set aside, and the rest starts.',
    clause: `${GUIDE}#when-a-plugin-is-set-aside`,
  },
  {
    id: 'PLUGIN-MANIFEST',
    says: 'What a plugin is can be read from its manifest without running its code, and no path in it leads out of its folder.',
    clause: `${GUIDE}#the-manifest`,
  },
  {
    id: 'PLUGIN-HOST-MODULE',
    says: "A plugin gets the house's own module as toolpass/plugin, with its z, and keeps its own zod where it brings one.",
    clause: `${GUIDE}#packages`,
  },
  {
    id: 'PLUGIN-LIFECYCLE',
    says: 'A plugin is opened before it is used and closed after, also when its open failed half-way; neither may take for ever.',
    clause: `${GUIDE}#open-and-close`,
  },
  {
    id: 'PLUGIN-RELOAD',
    says: 'New and changed plugins start without a restart, imported files included, and what did not change goes on undisturbed.',
    clause: `${GUIDE}#changing-a-plugin`,
  },
  {
    id: 'PLUGIN-GONE',
    says: 'Connections of a plugin that is gone stay, say what is missing, and work again when it is back.',
    clause: `${GUIDE}#changing-a-plugin`,
  },
  {
    id: 'PLUGIN-PROVIDERS',
    says: 'A plugin from outside brings an OAuth provider: its settings are a form, its endpoints are what a sign-in goes to.',
    clause: `${GUIDE}#providers`,
  },
  {
    id: 'PLUGIN-PAGE',
    says: 'Administrators, and nobody else, see every plugin with what it brings, where it lies and why it is set aside, and reload them.',
    clause: `${GUIDE}#ten-minutes`,
  },
  {
    id: 'PLUGIN-COMMANDS',
    says: 'The command line lists and reloads the plugins of a running Toolpass.',
    clause: `${GUIDE}#changing-a-plugin`,
  },
  {
    id: 'PLUGIN-TYPES',
    says: 'The types of the plugin API come as a package that is made from it and is current.',
    clause: `${GUIDE}#ten-minutes`,
  },
  {
    id: 'PLUGIN-TEMPLATE',
    says: 'The template works in the executable as it is: dropped in, connected on the pages, called by an app.',
    clause: `${GUIDE}#ten-minutes`,
  },
  {
    id: 'PLUGIN-PACKAGES',
    says: "The executable installs a plugin's packages by itself, and a missing one is named with the command that installs it.",
    clause: `${GUIDE}#packages`,
  },
]
