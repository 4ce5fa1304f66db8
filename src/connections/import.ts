/**
 * What other programs wrote down about servers (`mcp.json` and its relatives), as drafts of connections. Pure: text in, drafts
 * and problems out. Nothing here opens a file, follows a path or looks at who asks.
 */
import { JsonError, parseJson, tameJson } from '@/lib/json.ts'
import { plainJson } from './import-jsonc.ts'
import { type Draft, draftOf, isObject } from './import-server.ts'

export { type Draft, filledIn, hidesSecret } from './import-server.ts'

/** Something that the file leaves to be filled in: `${input:token}`, `${API_KEY}`. */
export type Variable = {
  /** As it stands between the braces. */
  name: string
  label: string
  description: string | undefined
  value: string | undefined
  isSecret: boolean
}
export type Import = { format: string; drafts: Draft[]; variables: Variable[]; notes: string[] }

const TEXT_CHARS_MAX = 256 * 1024
const SERVERS_MAX = 100
/** Counted in strings as well: no honest configuration is near this. */
const TOML_BRACKETS_MAX = 64

/** @returns why nothing can be read from it, in a sentence, or what was read */
export function readImport(text: string): Import | { problem: string } {
  const problem = problemOf(text)
  if (problem) return { problem }
  const clean = text.replace(/^\uFEFF/, '').trim()
  const parsed = clean.startsWith('{') || clean.startsWith('[{') ? readJson(clean) : readToml(clean)
  if ('problem' in parsed) return parsed
  const lists = listsIn(parsed.value)
  const entries = lists.flatMap(({ servers }) => Object.entries(servers))
  if (lists.length === 0)
    return { problem: 'No servers were found in it. Expected is “mcpServers”, “servers”, “context_servers” or “mcp_servers”.' }
  if (entries.length === 0) return { problem: 'The list of servers in it is empty.' }
  if (entries.length > SERVERS_MAX) return { problem: `It holds ${entries.length} servers; ${SERVERS_MAX} can be imported at once.` }
  const drafts = entries.map(([name, server]) => draftOf(name, server))
  const inputs = lists.flatMap(({ inputs }) => inputs)
  const notes = lists.flatMap(({ note }) => (note ? [note] : []))
  return { format: lists[0]?.format ?? '', drafts, variables: variablesOf(drafts, inputs), notes }
}

function problemOf(text: string): string | undefined {
  if (text.trim() === '') return 'There is nothing in it.'
  if (text.startsWith('PK\u0003') || text.startsWith('\u001f\u008b') || text.startsWith('\u001f\ufffd'))
    return 'This is an archive. Unpack it, and choose the configuration file in it.'
  if (/[\u0000-\u0008\u000e-\u001f]/.test(text)) return 'This is no text file.'
  if (text.length > TEXT_CHARS_MAX) return `A configuration may be ${TEXT_CHARS_MAX / 1024} KB long; this one is longer.`
  return undefined
}

type Parsed = { value: Record<string, unknown> } | { problem: string }

function readJson(text: string): Parsed {
  try {
    const value = parseJson(plainJson(text))
    return isObject(value) ? { value } : { problem: 'It is no configuration with named servers.' }
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    return { problem: error.reason === 'depth' ? 'It is nested too deeply.' : 'It looks like JSON, but cannot be read as such.' }
  }
}

function readToml(text: string): Parsed {
  // The parser is handed nothing that nests: it is not ours, and recursion ends in the stack.
  if (opensDeep(text)) return { problem: 'It is nested too deeply.' }
  try {
    const value = tameJson(Bun.TOML.parse(text))
    return isObject(value) ? { value } : { problem: 'It is neither JSON nor TOML.' }
  } catch (error) {
    if (error instanceof JsonError) return { problem: 'It is nested too deeply.' }
    return { problem: 'It is neither JSON nor TOML.' }
  }
}

function opensDeep(text: string): boolean {
  let depth = 0
  for (const letter of text) {
    if (letter === '[' || letter === '{') depth += 1
    if (letter === ']' || letter === '}') depth = Math.max(0, depth - 1)
    if (depth > TOML_BRACKETS_MAX) return true
  }
  return false
}

type Servers = Record<string, unknown>
type List = { format: string; servers: Servers; inputs: unknown[]; note: string | undefined }

/** The places where programs keep their servers. More than one may be filled. */
function listsIn(root: Record<string, unknown>): List[] {
  const mcp = isObject(root['mcp']) ? root['mcp'] : {}
  const list = (format: string, servers: unknown, inputs: unknown = root['inputs'], note?: string): List[] =>
    isObject(servers) ? [{ format, servers, inputs: Array.isArray(inputs) ? inputs : [], note }] : []
  const known = [
    ...list('mcpServers', root['mcpServers']),
    ...list('VS Code', root['servers']),
    ...list('VS Code settings', mcp['servers'], mcp['inputs']),
    ...list('Zed', root['context_servers']),
    ...list('Codex', root['mcp_servers']),
    ...projectsOf(root['projects']).flatMap(([path, servers]) => list('Claude Code', servers, [], `Some are of the project ${path}.`)),
  ]
  if (known.length > 0) return known
  const isServer = (value: unknown) => isObject(value) && ['command', 'url', 'serverUrl', 'httpUrl'].some((key) => key in value)
  // OpenCode keeps them right under `mcp`; a snippet from a README is often the inside of a list.
  if (Object.values(mcp).some(isServer)) return list('OpenCode', mcp)
  return Object.values(root).some(isServer) ? list('a list of servers', root) : []
}

/** `~/.claude.json` holds a list for each folder somebody worked in. */
const projectsOf = (projects: unknown): [path: string, servers: Servers][] =>
  isObject(projects)
    ? Object.entries(projects).flatMap(([path, project]) => {
        const servers = isObject(project) ? project['mcpServers'] : undefined
        return isObject(servers) && Object.keys(servers).length > 0 ? [[path.slice(0, 200), servers] as [string, Servers]] : []
      })
    : []

const SECRET_NAME = /key|token|secret|pass|auth|credential|bearer|pat$/i

function variablesOf(drafts: readonly Draft[], inputs: readonly unknown[]): Variable[] {
  const described = new Map(
    inputs.flatMap((input) => (isObject(input) && typeof input['id'] === 'string' ? [[input['id'], input] as const] : [])),
  )
  const names = new Map(drafts.flatMap(({ variables }) => variables.map(({ name, fallback }) => [name, fallback] as const)))
  return [...names].map(([name, fallback]) => {
    const id = name.replace(/^(input|env):/, '')
    const said = name.startsWith('input:') ? described.get(id) : undefined
    const text = (key: string) => (typeof said?.[key] === 'string' ? said[key] : undefined)
    return {
      name,
      label: id,
      description: text('description'),
      value: text('default') ?? fallback,
      // One too many hidden is a nuisance; one too few is a key on the screen.
      isSecret: said ? said['password'] === true || SECRET_NAME.test(id) : SECRET_NAME.test(id),
    }
  })
}
