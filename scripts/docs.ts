/** Writes the parts of README that are made from the code: the table of settings. `bun run docs`; test/tidy.test.ts compares. */
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { asFlag, asVariable, SETTING_NAMES, Settings } from '../src/config/settings.ts'

const README = resolve(import.meta.dir, '../README.md')
const SECTION = /(<!-- settings: begin -->\n)[\s\S]*?(<!-- settings: end -->)/

export function settingsTable(): string {
  const defaults = Settings.parse({}) as Record<string, unknown>
  const rows = SETTING_NAMES.map((name) => {
    const { description = '' } = Settings.shape[name]
    return `| \`${asVariable(name)}\` | \`--${asFlag(name)}\` | ${shown(defaults[name])} | ${description.replaceAll('|', '\\|')} |`
  })
  return ['| variable | flag | default | what it is |', '|---|---|---|---|', ...rows].join('\n')
}

/** README as it should be. */
export const withSettings = (readme: string): string => readme.replace(SECTION, (_, begin, end) => `${begin}${settingsTable()}\n${end}`)

const shown = (value: unknown) => (value === undefined || (Array.isArray(value) && value.length === 0) ? '' : `\`${value}\``)

if (import.meta.main) writeFileSync(README, withSettings(readFileSync(README, 'utf8')))
