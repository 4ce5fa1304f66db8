/**
 * An entry: how a server is described by the MCP registry (`server.json`, schema 2025-12-11), read with room for what a later
 * schema adds, and our own block about how one gets in. It may come from anywhere, so every text has a limit and every
 * address is http or https.
 */
import { z } from 'zod'
import { tameJson } from '@/lib/json.ts'

/** Where our own block stands in an entry's `_meta`. */
export const OWN_META = 'io.toolpass/catalogue'

/**
 * `open` asks for nothing, `oauth` for a sign-in and no more, `oauth-registered` for a client that somebody registers there
 * beforehand, `key` for a key or token, `local` runs here. `unknown`: nobody wrote it down, so it shows when it is tried.
 */
export const WAYS_IN = ['open', 'oauth', 'oauth-registered', 'key', 'local', 'unknown'] as const
export type WayIn = (typeof WAYS_IN)[number]

const ENTRY_CHARS_MAX = 64 * 1024
const PARTS_MAX = 20
const INPUTS_MAX = 64

const text = (max: number) => z.string().max(max)
const line = (max: number) => text(max).regex(/^[^\p{Cc}]*$/u, 'It holds control characters.')
const webAddress = z.url({ protocol: /^https?$/ }).max(2048)

const input = {
  description: text(2000).optional(),
  isRequired: z.boolean().optional(),
  isSecret: z.boolean().optional(),
  format: z.enum(['string', 'number', 'boolean', 'filepath']).optional().catch(undefined),
  default: text(4000).optional(),
  placeholder: text(400).optional(),
  value: text(4000).optional(),
  choices: z.array(text(400)).max(100).optional(),
}
const variables = z.record(line(100), z.looseObject(input)).optional()
const NamedInput = z.looseObject({ ...input, name: line(200).min(1), variables })
const Argument = z.looseObject({
  ...input,
  type: z.enum(['positional', 'named']),
  name: line(200).optional(),
  valueHint: line(200).optional(),
  isRepeated: z.boolean().optional(),
  variables,
})
export type Input = { [Key in keyof typeof input]?: z.output<(typeof input)[Key]> | undefined }

const Remote = z.looseObject({
  type: z.enum(['streamable-http', 'sse']),
  // A template may hold {variables}, also in the host, so it is a whole address only once they are filled in.
  url: line(2048).regex(/^https?:\/\//, 'The address is no http or https one.'),
  headers: z.array(NamedInput).max(INPUTS_MAX).optional(),
  variables,
})
const Package = z.looseObject({
  registryType: line(40),
  identifier: line(512).min(1),
  version: line(255).optional(),
  runtimeHint: line(100).optional(),
  transport: z.looseObject({ type: line(40) }).optional(),
  runtimeArguments: z.array(Argument).max(INPUTS_MAX).optional(),
  packageArguments: z.array(Argument).max(INPUTS_MAX).optional(),
  environmentVariables: z.array(NamedInput).max(INPUTS_MAX).optional(),
})
export type Remote = z.output<typeof Remote>
export type Package = z.output<typeof Package>
export type Argument = z.output<typeof Argument>
export type NamedInput = z.output<typeof NamedInput>

const Own = z.looseObject({
  wayIn: z.enum(WAYS_IN),
  scopes: z.array(line(200)).max(100).optional(),
  links: z
    .array(z.object({ label: line(100), href: webAddress }))
    .max(10)
    .optional(),
  warnings: z.array(text(1000)).max(10).optional(),
  /** The day on which this was compared with what its maker publishes. Nobody tried the server for it. */
  checked: z.iso.date().optional(),
  source: webAddress.optional(),
})
export type Own = z.output<typeof Own>

const Entry = z.looseObject({
  name: z
    .string()
    .min(3)
    .max(200)
    .regex(/^[A-Za-z0-9][A-Za-z0-9.-]*\/[A-Za-z0-9._-]+$/, 'The name is not like com.example/server.'),
  title: line(100).optional(),
  description: text(2000).min(1),
  version: line(255).default('1.0.0'),
  websiteUrl: webAddress.optional().catch(undefined),
  repository: z
    .looseObject({ url: webAddress.optional().catch(undefined) })
    .optional()
    .catch(undefined),
  remotes: z.array(Remote).max(PARTS_MAX).optional(),
  packages: z.array(Package).max(PARTS_MAX).optional(),
  _meta: z.looseObject({ [OWN_META]: Own.optional() }).optional(),
})
export type Entry = z.output<typeof Entry>

/** An entry of unknown origin: the entry, or why it is none, in a sentence. */
export function readEntry(value: unknown): Entry | { problem: string } {
  const size = sizeOf(value)
  if (size === undefined || size > ENTRY_CHARS_MAX) return { problem: 'It is too large or nested too deeply.' }
  const parsed = Entry.safeParse(value)
  if (parsed.success) {
    const { remotes = [], packages = [] } = parsed.data
    return remotes.length + packages.length > 0 ? parsed.data : { problem: 'It names neither an address nor a package.' }
  }
  const [issue] = parsed.error.issues
  const place = issue?.path.join('.')
  return { problem: place ? `${place}: ${issue?.message}` : 'It is no description of a server.' }
}

function sizeOf(value: unknown): number | undefined {
  try {
    return JSON.stringify(tameJson(value)).length
  } catch {
    return undefined
  }
}

export const isEntry = (read: Entry | { problem: string }): read is Entry => !('problem' in read)

export const ownOf = (entry: Entry): Own | undefined => entry._meta?.[OWN_META]
export const titleOf = (entry: Entry): string => entry.title || (entry.name.split('/')[1] ?? entry.name)

/** As written, or as the entry's parts show: a program runs here, a required secret header is a key. */
export function wayInOf(entry: Entry): WayIn {
  const known = ownOf(entry)?.wayIn
  if (known) return known
  const { remotes = [] } = entry
  if (remotes.length === 0) return 'local'
  const asksForKey = remotes.some(({ headers = [] }) =>
    headers.some(({ isRequired, isSecret }) => isRequired === true && isSecret === true),
  )
  return asksForKey ? 'key' : 'unknown'
}
