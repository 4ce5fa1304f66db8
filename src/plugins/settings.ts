import { z } from 'zod'
import type { Connector, JsonObject } from './api.ts'

/** Whatever has settings: a connector, a provider. */
type Configured = Pick<Connector, 'settings'>

/** JSON Schema 2020-12 of the form, in the order of the fields; `secret: true` marks what is sealed. */
export type SettingsForm = {
  type: 'object'
  properties: Record<string, JsonObject & { title?: string; description?: string; placeholder?: string; secret?: boolean }>
  required: readonly string[]
}

export function settingsForm({ settings }: Configured): SettingsForm {
  const schema = z.toJSONSchema(settings, { io: 'input' }) as JsonObject
  return {
    type: 'object',
    properties: schema['properties'] as SettingsForm['properties'],
    required: (schema['required'] as string[] | undefined) ?? [],
  }
}

/** Secret fields go into the sealed credential, the others into the connection's row. Unknown fields are in neither. */
export function splitSettings(connector: Configured, settings: JsonObject): { plain: JsonObject; secret: JsonObject } {
  const plain: JsonObject = {}
  const secret: JsonObject = {}
  for (const [name, { secret: isSecret }] of Object.entries(settingsForm(connector).properties)) {
    if (!Object.hasOwn(settings, name) || settings[name] === undefined) continue
    if (isSecret === true) secret[name] = settings[name]
    else plain[name] = settings[name]
  }
  return { plain, secret }
}

/** The inverse. A plain value never fills a secret field nor the other way round, whatever the stored rows say. */
export function joinSettings(connector: Configured, { plain, secret }: { plain: JsonObject; secret: JsonObject }): JsonObject {
  return { ...splitSettings(connector, plain).plain, ...splitSettings(connector, secret).secret }
}
