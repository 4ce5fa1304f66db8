/**
 * Exposed name ↔ upstream tool. Pure and deterministic: the same picks give the same names on every machine, and a name that
 * an app has seen stays with its tool for as long as the tool is in the profile.
 */
import { EVERY_RESOURCE } from '@/connections'
import { sha256 } from '@/lib/crypto.ts'
import { Failure } from '@/lib/failure.ts'

export type Naming = 'always' | 'on-collision' | 'never'
export type NamedTool<Id extends string = string> = { id: Id; name: string; prefix: string }

export const EXPOSED_NAME = /^[a-zA-Z0-9_-]{1,64}$/
/** Some clients put the server's name before it and stop at 60, so what we make up stays well below the 64 of the rule. */
const MADE_CHARS_MAX = 48
const NAME_CHARS_MAX = 64
const HASH_CHARS = 6
const SEPARATOR = '__'
/** What a profile that is served through search calls its own three tools. No tool of an upstream is ever called so. */
export const SEARCH_TOOLS = { find: 'find_tools', describe: 'describe_tool', call: 'call_tool' } as const
const RESERVED: ReadonlySet<string> = new Set(Object.values(SEARCH_TOOLS))
export const isReserved = (name: string): boolean => RESERVED.has(name)

/**
 * The name of each tool. Names in `existing` are kept as they are.
 * @throws Failure `names_collide` when naming is `never` and two tools share a name, or one has a name that clients refuse
 */
export function exposedNames<Id extends string>(
  tools: readonly NamedTool<Id>[],
  naming: Naming,
  existing: ReadonlyMap<Id, string> = new Map(),
): Map<Id, string> {
  const names = new Map<Id, string>()
  const taken = new Set<string>()
  const give = (id: Id, name: string) => {
    names.set(id, name)
    taken.add(name)
  }
  for (const { id } of tools) {
    const name = existing.get(id)
    // Given to it by hand, another may have come to bear it meanwhile.
    if (name !== undefined && !taken.has(name)) give(id, name)
  }
  const counts = Map.groupBy(tools, (tool) => tool.name)
  const prefixes = new Set(tools.map((tool) => tool.prefix))
  for (const tool of tools) {
    if (names.has(tool.id)) continue
    const isAlone = counts.get(tool.name)?.length === 1 && !taken.has(tool.name) && !isReserved(tool.name)
    if (naming === 'never') give(tool.id, demandPlain(tool, isAlone))
    else if (naming === 'on-collision' && isAlone && EXPOSED_NAME.test(tool.name) && !isPosing(tool, prefixes)) give(tool.id, tool.name)
    else give(tool.id, freeName(tool, taken))
  }
  return names
}

/** Whether its own name reads as that of another connection's tool: an upstream picks its names, and models and people read them. */
function isPosing({ name, prefix }: NamedTool, prefixes: ReadonlySet<string>): boolean {
  return prefixes.values().some((other) => other !== prefix && name.startsWith(`${other}${SEPARATOR}`))
}

/** "never" must leave names untouched, since apps hard-code them, so nothing is repaired here. */
function demandPlain(tool: NamedTool, isAlone: boolean): string {
  if (!isAlone) throw new Failure('names_collide')
  if (!EXPOSED_NAME.test(tool.name))
    throw new Failure('names_collide', { message: 'A tool has a name that apps refuse; choose another way to prefix them.' })
  return tool.name
}

function freeName(tool: NamedTool, taken: ReadonlySet<string>): string {
  const plain = prefixed(tool)
  if (!taken.has(plain)) return plain
  // Two upstream names can become one when their characters are replaced; the hash is over what they really are.
  for (let count = 0; ; count += 1) {
    const name = withHash(plain, `${tool.prefix}\n${tool.name}\n${tool.id}\n${count}`)
    if (!taken.has(name)) return name
  }
}

/** `prefix__name` in the allowed characters. What had to be cut or replaced is told apart by a short hash of the original. */
export function prefixed({ prefix, name }: Pick<NamedTool, 'prefix' | 'name'>): string {
  const whole = `${prefix}${SEPARATOR}${name}`
  const plain = whole.replace(/[^a-zA-Z0-9_-]/g, '_')
  return plain === whole && plain.length <= NAME_CHARS_MAX ? plain : withHash(plain, whole)
}

const withHash = (plain: string, original: string) =>
  `${plain.slice(0, MADE_CHARS_MAX - HASH_CHARS - 1)}_${sha256(original)
    .replace(/[^a-zA-Z0-9]/g, '')
    .toLowerCase()
    .slice(0, HASH_CHARS)}`

/**
 * The URI of each resource or template. It is the upstream's own (apps and results name it), except where two upstreams have the same:
 * there each but the first carries its connection's prefix. @throws Failure `names_collide` when naming is `never`
 */
export function exposedUris<Id extends string>(
  resources: readonly NamedTool<Id>[],
  naming: Naming,
  existing: ReadonlyMap<Id, string> = new Map(),
): Map<Id, string> {
  const uris = new Map<Id, string>()
  const taken = new Set<string>()
  const give = (id: Id, uri: string) => {
    uris.set(id, uri)
    taken.add(uri)
  }
  for (const { id } of resources) {
    const uri = existing.get(id)
    if (uri !== undefined) give(id, uri)
  }
  for (const { id, name, prefix } of resources) {
    if (uris.has(id)) continue
    const plain = name === EVERY_RESOURCE ? `${prefix}:${EVERY_RESOURCE}` : name
    if (!taken.has(plain)) give(id, plain)
    else if (naming === 'never')
      throw new Failure('names_collide', { message: 'Two resources have the same address; choose another way to prefix them.' })
    else give(id, prefixedUri(prefix, name))
  }
  return uris
}

/** Still a URI, and one of an MCP App (`ui://`) still one of those: clients tell them apart by the scheme. */
export function prefixedUri(prefix: string, uri: string): string {
  const scheme = `x-${prefix}`.replace(/[^a-zA-Z0-9.-]/g, '-').toLowerCase()
  return uri.startsWith(UI_SCHEME) ? `${UI_SCHEME}${scheme}+${uri.slice(UI_SCHEME.length)}` : `${scheme}+${uri}`
}
const UI_SCHEME = 'ui://'
