import { z } from 'zod'
import type { Plugin } from './api.ts'

/** A plugin, or something that was meant to be one, that does not run here, and why, in a sentence. */
export type SetAside = { id: string; reason: string }

const isFunction = z.custom<() => unknown>((value) => typeof value === 'function', 'must be a function')
const text = z.string().min(1).max(200)

const ConnectorShape = z.object({
  id: z.string().regex(/^[a-z][a-z0-9-]{1,31}$/),
  title: text,
  description: z.string().min(1).max(500),
  // An outside plugin may carry its own copy of zod, so `instanceof` would say no to good schemas.
  settings: z.custom<z.ZodObject>(isZodObject, 'must be a zod object'),
  definedBy: z.enum(['anyone', 'administrator']),
  summary: isFunction,
  open: isFunction,
})
const ProviderShape = z.object({
  id: z.string().regex(/^[a-z][a-z0-9-]{1,31}$/),
  title: text,
  description: z.string().min(1).max(500),
  settings: z.custom<z.ZodObject>(isZodObject, 'must be a zod object'),
  endpoints: isFunction,
  quirks: isFunction.optional(),
})
const scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'must be a scope as RFC 6749 §3.3 has it')
const OAuthProviderShape = ProviderShape.extend({
  named: isFunction.optional(),
  registerAt: z.url({ protocol: /^https$/ }).optional(),
  scopes: z.array(z.object({ name: scope, description: z.string().min(1).max(300), default: z.boolean().optional() })).max(100),
  readTokenAnswer: isFunction.optional(),
  whoAmI: isFunction.optional(),
  revoke: isFunction.optional(),
})
const LoginProviderShape = ProviderShape.extend({ scopes: z.array(scope).max(20), whoIs: isFunction })
const PluginShape = z.object({
  id: z.string().regex(/^[a-z][a-z0-9-]{1,63}$/),
  version: z.string().regex(/^\d+\.\d+\.\d+/, 'must be a version such as 1.0.0'),
  title: text,
  connectors: z.array(ConnectorShape).max(50).optional(),
  oauthProviders: z.array(OAuthProviderShape).max(50).optional(),
  loginProviders: z.array(LoginProviderShape).max(50).optional(),
})

/** Parts the sound plugins from the others. Of two with one id, the first is kept: built-in ones come first. */
export function sort(plugins: readonly unknown[]): { sound: Plugin[]; setAside: SetAside[] } {
  const sound: Plugin[] = []
  const setAside: SetAside[] = []
  const taken = new Set<string>()
  for (const plugin of plugins) {
    const reason = problemOf(plugin, taken)
    if (reason === undefined) {
      sound.push(plugin as Plugin)
      for (const name of namesOf(plugin as Plugin)) taken.add(name)
    } else setAside.push({ id: idOf(plugin), reason })
  }
  return { sound, setAside }
}

function problemOf(plugin: unknown, taken: ReadonlySet<string>): string | undefined {
  try {
    const read = PluginShape.safeParse(plugin)
    if (!read.success) {
      const [issue] = read.error.issues
      return `${issue?.path.join('.') || 'plugin'}: ${issue?.message ?? 'wrong shape'}`
    }
    const { connectors = [], oauthProviders = [], loginProviders = [] } = plugin as Plugin
    for (const part of [...connectors, ...oauthProviders, ...loginProviders]) demandForm(part)
    for (const { id, settings } of [...oauthProviders, ...loginProviders]) {
      const missing = ['clientId', 'clientSecret'].find((name) => !Object.hasOwn(settings.shape, name))
      if (missing) return `${id}: its settings have no ${missing}.`
    }
    const twice = namesOf(plugin as Plugin).find((name, at, all) => taken.has(name) || all.indexOf(name) !== at)
    return twice === undefined ? undefined : `${twice} exists already.`
  } catch (error) {
    // Getters and schemas are the plugin's code and may throw anything.
    return error instanceof Error ? error.message.slice(0, 200) : 'It threw something that is no error.'
  }
}

/** A schema that no form can be made of is found out at the start, not when somebody opens the page. */
function demandForm({ settings }: { settings: z.ZodObject }): void {
  z.toJSONSchema(settings, { io: 'input' })
}

const namesOf = ({ id, connectors = [], oauthProviders = [], loginProviders = [] }: Plugin): string[] => [
  `plugin ${id}`,
  ...connectors.map((connector) => `connector ${connector.id}`),
  ...oauthProviders.map((provider) => `OAuth provider ${provider.id}`),
  ...loginProviders.map((provider) => `login provider ${provider.id}`),
]

function idOf(plugin: unknown): string {
  try {
    const id = (plugin as { id?: unknown } | null)?.id
    return typeof id === 'string' ? id.slice(0, 64) : '(no id)'
  } catch {
    return '(no id)'
  }
}

function isZodObject(value: unknown): boolean {
  const definition = (value as { _zod?: { def?: { type?: unknown } } } | null)?._zod?.def
  return definition?.type === 'object'
}
