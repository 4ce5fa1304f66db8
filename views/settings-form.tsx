/**
 * A connector's form, made from the JSON Schema of its settings (`z.toJSONSchema(schema, { io: 'input' })`). Field names
 * are `settings.<key>`. What text a setting is in the form, and back, is the pair at the end of this file.
 */
import { type FormState, SelectField, SwitchField, TextArea, TextField } from './parts/field.tsx'

/** The part of JSON Schema that settings use. `secret`, `placeholder` come from `.meta()`. */
export type SettingSchema = {
  type?: unknown | undefined
  title?: string | undefined
  description?: string | undefined
  format?: string | undefined
  enum?: readonly unknown[] | undefined
  default?: unknown | undefined
  minimum?: number | undefined
  maximum?: number | undefined
  secret?: unknown | undefined
  placeholder?: unknown | undefined
  /** Longer than a line: a document that is pasted. */
  multiline?: unknown | undefined
}
export type SettingsSchema = {
  properties?: { readonly [key: string]: SettingSchema | boolean } | undefined
  required?: readonly string[] | undefined
}

type SettingKind = 'text' | 'document' | 'url' | 'secret' | 'list' | 'record' | 'boolean' | 'number' | 'choice'

const kindOf = (setting: SettingSchema): SettingKind => {
  if (setting.type === 'array') return 'list'
  if (setting.type === 'object') return 'record'
  if (setting.type === 'boolean') return 'boolean'
  if (setting.type === 'number' || setting.type === 'integer') return 'number'
  if (setting.enum) return 'choice'
  if (setting.secret === true) return 'secret'
  if (setting.multiline === true) return 'document'
  return setting.format === 'uri' || setting.format === 'url' ? 'url' : 'text'
}

const settingsOf = (schema: SettingsSchema): [key: string, setting: SettingSchema][] =>
  Object.entries(schema.properties ?? {}).flatMap(([key, setting]) =>
    typeof setting === 'object' ? [[key, setting] as [string, SettingSchema]] : [],
  )

const KEPT = 'Kept sealed. Leave empty to keep it.'

export type SettingsFieldsProps = {
  schema: SettingsSchema
  /** Saved settings as text (`settingsToText`), for an edit form. */
  saved?: Readonly<Record<string, string>>
  /** Secret fields that hold something already: they are never shown again. */
  sealed?: readonly string[] | undefined
  form?: FormState | undefined
}

const SettingField = (p: SettingsFieldsProps & { name: string; setting: SettingSchema }) => {
  const { setting } = p
  const name = `settings.${p.name}`
  const secret = setting.secret === true
  const kept = p.sealed?.includes(p.name) ?? false
  const required = (p.schema.required ?? []).includes(p.name)
  const kind = kindOf(setting)
  const common = {
    name,
    label: setting.title ?? p.name,
    hint: [setting.description, kept && KEPT].filter(Boolean).join(' ') || undefined,
    form: p.form,
    optional: !required && kind !== 'boolean',
  }
  const value = p.saved?.[name] ?? (p.saved || secret ? undefined : toText(setting, setting.default))
  const placeholder = kept ? '••••••••' : typeof setting.placeholder === 'string' ? setting.placeholder : undefined
  switch (kind) {
    case 'boolean':
      return <SwitchField {...common} on={(p.form?.values ? p.form.values[name] : value) === 'on'} />
    case 'document':
      return <TextArea {...common} mono={true} value={value} placeholder={placeholder} />
    case 'list':
      return <TextArea {...common} mono={true} value={value} placeholder={placeholder ?? 'One per line'} />
    case 'record':
      return <TextArea {...common} mono={true} value={value} placeholder={placeholder ?? 'NAME=value, one per line'} />
    case 'choice':
      return (
        <SelectField
          {...common}
          value={value}
          options={(setting.enum ?? []).map((option) => ({ value: String(option), label: String(option) }))}
        />
      )
    case 'number':
      return (
        <TextField
          {...common}
          type="number"
          value={value}
          placeholder={placeholder}
          required={required}
          min={setting.minimum}
          max={setting.maximum}
        />
      )
    case 'secret':
      return <TextField {...common} type="password" autocomplete="off" placeholder={placeholder} required={required && !kept} />
    default:
      return <TextField {...common} type={kind} mono={true} value={value} placeholder={placeholder} required={required} />
  }
}

export const SettingsFields = (p: SettingsFieldsProps) => (
  <>
    {settingsOf(p.schema).map(([name, setting]) => (
      <SettingField {...p} name={name} setting={setting} />
    ))}
  </>
)

const toText = (setting: SettingSchema, value: unknown): string | undefined => {
  if (value === undefined || value === null) return undefined
  const kind = kindOf(setting)
  if (kind === 'list' && Array.isArray(value)) return value.map(String).join('\n')
  if (kind === 'record' && typeof value === 'object')
    return Object.entries(value)
      .map(([name, each]) => `${name}=${String(each)}`)
      .join('\n')
  if (kind === 'boolean') return value ? 'on' : 'off'
  return String(value)
}

/** Saved settings → values of the form's fields. Secret ones are left out whatever they hold. */
export function settingsToText(schema: SettingsSchema, settings: Readonly<Record<string, unknown>>): Record<string, string> {
  const values: Record<string, string> = {}
  for (const [key, setting] of settingsOf(schema)) {
    const text = setting.secret === true ? undefined : toText(setting, settings[key])
    if (text !== undefined) values[`settings.${key}`] = text
  }
  return values
}

const linesOf = (text: string): string[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean)

const fromText = (setting: SettingSchema, text: string): unknown => {
  switch (kindOf(setting)) {
    case 'list':
      return linesOf(text)
    case 'record':
      // A line without `=` becomes a name without a value, which the connector's own schema may refuse with a reason.
      return Object.fromEntries(
        linesOf(text).map((line) => {
          const at = line.indexOf('=')
          return at < 0 ? [line, ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()]
        }),
      )
    case 'number':
      return Number(text)
    default:
      return text.trim()
  }
}

/**
 * Fields of a sent form → raw settings, for the connector's own schema to check. An empty field is left out, so that
 * defaults hold and a sealed secret is kept; a switch that is off is sent by no browser and becomes `false`.
 */
export function settingsFromText(schema: SettingsSchema, values: Readonly<Record<string, string | undefined>>): Record<string, unknown> {
  const settings: Record<string, unknown> = {}
  for (const [key, setting] of settingsOf(schema)) {
    const text = values[`settings.${key}`] ?? ''
    if (kindOf(setting) === 'boolean') settings[key] = text === 'on'
    else if (text.trim() !== '') settings[key] = fromText(setting, text)
  }
  return settings
}
