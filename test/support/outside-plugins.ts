/** Plugins as somebody outside writes them: folders with a manifest and code. */
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export type Files = Record<string, string>

let written = 0

/** Puts a plugin into the plugins folder of a data folder; `undefined` leaves the manifest out. */
export function putPlugin(dataDir: string, name: string, manifest: object | string | undefined, files: Files): string {
  const folder = join(dataDir, 'plugins', name)
  const whole: Files = manifest === undefined ? files : { 'plugin.json': asText(manifest), ...files }
  for (const [path, text] of Object.entries(whole)) {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    // Tests write faster than clocks tick on some file systems.
    utimesSync(file, 1_700_000_000, 1_700_000_000 + ++written)
  }
  return folder
}
const asText = (manifest: object | string) => (typeof manifest === 'string' ? manifest : JSON.stringify(manifest))

export const manifestOf = (id: string, more: object = {}) => ({
  id,
  version: '1.0.0',
  title: `The ${id} plugin`,
  description: 'For a test.',
  main: 'index.ts',
  api: 1,
  ...more,
})

/** A connector with one tool, `say`, that answers with a word of its own. */
export const saying = (id: string, word: string, more: { before?: string; plugin?: string; settings?: string } = {}) => `
import { defineConnector, definePlugin, z } from 'toolpass/plugin'
${more.before ?? ''}
const results = {
  'server/discover': () => ({ supportedVersions: ['2026-07-28'], capabilities: { tools: {} }, serverInfo: { name: '${id}', version: '1.0.0' } }),
  'tools/list': () => ({ tools: [{ name: 'say', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } }] }),
  'tools/call': () => ({ content: [{ type: 'text', text: ${word} }] }),
}
const connector = defineConnector({
  id: '${id}', title: 'Connector ${id}', description: 'Says a word.', definedBy: 'anyone', summary: () => '${id}',
  settings: ${more.settings ?? 'z.object({})'},
  open: async () => ({
    shared: false,
    request: async ({ id, method }) => ({ jsonrpc: '2.0', id, result: results[method]() }),
    notify: async () => {}, respond: async () => {},
    close: async () => void globalThis.closedChannels?.push('${id}'),
  }),
})
export default definePlugin({ id: '${id}', version: '1.0.0', title: 'The ${id} plugin', connectors: [connector], ${more.plugin ?? ''} })
`
