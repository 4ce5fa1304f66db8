/** What a file for `toolpass apply` may say. Secrets are read apart (references.ts), so here they are of any shape. */
import { z } from 'zod'
import { cleanText } from '@/clients'
import type { JsonObject } from '@/plugins'

/** A place in the file, as keys and positions, and what is wrong there. */
export type Problem = { path: readonly (string | number)[]; message: string }

const ENTRIES_MAX = 1_000
const name = z
  .string()
  .trim()
  .min(1)
  .max(64)
  .regex(/^[^\p{Cc}\p{Cf}]*$/u, 'holds characters that nobody sees.')
const username = z.string().trim().min(1).max(64)
const list = <T extends z.ZodType>(entry: T) => z.array(entry).max(ENTRIES_MAX)
const anyOf = <const T extends readonly string[]>(values: T) => z.enum(values)

const json = z.record(z.string(), z.unknown())
/** One tool as this profile shows it. Empty is "as its server says". */
const Adjust = z.strictObject({
  name: z.string().max(64).optional(),
  title: z.string().max(200).optional(),
  description: z.string().max(10_000).optional(),
  defaults: json.optional(),
  fixed: json.optional(),
  kind: anyOf(['read', 'write', 'destructive']).optional(),
  pinned: z.boolean().optional(),
})

const Pick = z.strictObject({
  connection: name,
  /** Whose connection, when it is somebody else's that is open. */
  owner: username.optional(),
  tools: list(z.string().min(1).max(128)).default(['*']),
  kind: anyOf(['read', 'write', 'destructive']).optional(),
  prompts: list(z.string().min(1).max(128)).optional(),
  /** Their addresses, or all of them, also those that the server adds later. */
  resources: z.union([z.literal('all'), list(z.string().min(1).max(2_048))], 'must be all, or a list of addresses.').optional(),
  adjust: z.record(z.string().min(1).max(128), Adjust).default({}),
})

const Person = z.strictObject({ username, role: anyOf(['admin', 'member']).optional(), password: z.unknown().optional() })
const Connection = z.strictObject({
  owner: username,
  name,
  connector: z.string().min(1).max(64),
  settings: z.record(z.string(), z.unknown()).default({}),
  secrets: z.record(z.string(), z.unknown()).default({}),
  sharing: anyOf(['private', 'open', 'each']).optional(),
})
const Profile = z.strictObject({
  owner: username,
  name: z.string().regex(/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/, 'must be up to 40 small letters, digits and hyphens.'),
  title: name.optional(),
  description: z.string().max(4_000).optional(),
  naming: anyOf(['always', 'on-collision', 'never']).optional(),
  delivery: anyOf(['whole', 'search']).optional(),
  visibility: anyOf(['private', 'open']).optional(),
  /** Whether its tools ask apps to say what a call is for. */
  asksPurpose: z.boolean().optional(),
  /** What the trail keeps of its calls' arguments and results. */
  keeps: anyOf(['sizes', 'redacted', 'whole']).optional(),
  tools: list(Pick).optional(),
})
const Clients = z.strictObject({
  policy: anyOf(['everyone', 'approved', 'listed']).optional(),
  registered: list(
    // Cleaned as a registration is, or it would not be found again by its name.
    z.strictObject({
      name: name.transform((text) => cleanText(text)),
      redirect_uris: list(z.string().max(2_000)).min(1),
      confidential: z.boolean().default(false),
    }),
  ).default([]),
  documents: list(z.string().max(2_000)).default([]),
})

export const Declared = z.strictObject({
  users: list(Person).default([]),
  connections: list(Connection).default([]),
  profiles: list(Profile).default([]),
  clients: Clients.default({ registered: [], documents: [] }),
})
export type Declared = z.output<typeof Declared>
export type DeclaredAdjustment = z.output<typeof Adjust>
export type DeclaredPick = z.output<typeof Pick>
export type DeclaredProfile = z.output<typeof Profile>

/** The same with its references followed: what the house is told. */
export type Manifest = Omit<Declared, 'users' | 'connections'> & {
  users: (Omit<Declared['users'][number], 'password'> & { password?: string })[]
  connections: (Omit<Declared['connections'][number], 'secrets'> & { secrets: JsonObject })[]
}
export type DeclaredConnection = Manifest['connections'][number]

/** What is declared twice, by the word that tells two of a kind apart. */
export function twiceIn<T>(kind: string, entries: readonly T[], wordOf: (entry: T) => string, base: Problem['path']): Problem[] {
  const seen = new Set<string>()
  return entries.flatMap((entry, at) => {
    const word = wordOf(entry).normalize('NFKC').toLowerCase()
    if (!seen.has(word)) return (seen.add(word), [])
    return [{ path: [...base, at], message: `is declared twice: another ${kind} here has the same name.` }]
  })
}

/** @returns the declaration, or each thing that is wrong with it */
export function readShape(value: unknown): { declared: Declared } | { problems: Problem[] } {
  const read = Declared.safeParse(value ?? {})
  if (!read.success) return { problems: read.error.issues.flatMap((issue) => problemsOf(issue, value)) }
  const { users, connections, profiles, clients } = read.data
  const problems = [
    ...twiceIn('user', users, (it) => it.username, ['users']),
    ...twiceIn('connection of this owner', connections, (it) => `${it.owner}\n${it.name}`, ['connections']),
    ...twiceIn('profile of this owner', profiles, (it) => `${it.owner}\n${it.name}`, ['profiles']),
    ...twiceIn('client', clients.registered, (it) => it.name, ['clients', 'registered']),
    ...twiceIn('document', clients.documents, (it) => it, ['clients', 'documents']),
  ]
  return problems.length > 0 ? { problems } : { declared: read.data }
}

const TYPES: Record<string, string> = {
  string: 'text; put it in quotes',
  array: 'a list',
  object: 'a block of "name: value" lines',
  record: 'a block of "name: value" lines',
  boolean: 'true or false',
}

function problemsOf(issue: z.core.$ZodIssue, root: unknown): Problem[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)))
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ path: [...path, key], message: 'is not known here.' }))
  return [{ path, message: sentenceOf(issue, valueAt(root, path)) }]
}

function sentenceOf(issue: z.core.$ZodIssue, value: unknown): string {
  if (value === undefined || value === null) return 'is missing.'
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${TYPES[issue.expected] ?? issue.expected}.`
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}.`
    case 'too_small':
      return 'is empty.'
    case 'too_big':
      return `is too long: at most ${String(issue.maximum)} ${issue.origin === 'array' ? 'entries' : 'characters'}.`
    default:
      return issue.message
  }
}

const valueAt = (root: unknown, path: Problem['path']): unknown =>
  path.reduce<unknown>((value, part) => (typeof value === 'object' && value !== null ? Reflect.get(value, part) : undefined), root)
