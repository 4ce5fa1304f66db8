/** One server of a configuration file: which connector it means, with which settings, and what does not come along. */

export type Draft = {
  /** As the file calls it. */
  key: string
  /** What the connection would be called. */
  name: string
  connector: 'streamable-http' | 'sse' | 'stdio'
  /** With `${…}` still in it. Headers and environment are secret settings of their connectors, and are sealed there. */
  settings: Record<string, unknown>
  variables: { name: string; fallback: string | undefined }[]
  /** The file has it switched off. */
  isOff: boolean
  /** What changes on the way, a sentence each. */
  warnings: string[]
  /** Why it cannot be taken. The rest is then of no meaning. */
  problem: string | undefined
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const NAME_CHARS_MAX = 60
const KEY_SHOWN_CHARS = 100
const VALUE_CHARS_MAX = 16 * 1024
const PARTS_MAX = 128
const VARIABLE = /\$\{([^{}]{1,200})\}/g

/** Understood, or of no meaning here and not worth a word. */
const SILENT = new Set(
  'command,args,env,environment,url,serverUrl,httpUrl,type,transport,headers,http_headers,env_http_headers,env_vars,bearer_token_env_var,disabled,enabled,description,name,source,gallery,version'.split(
    ',',
  ),
)

type Server = Record<string, unknown>

export function draftOf(key: string, server: unknown): Draft {
  const shown = key.slice(0, KEY_SHOWN_CHARS)
  const draft: Draft = {
    ...{ key: shown, name: nameOf(key), connector: 'stdio', settings: {}, variables: [] },
    ...{ isOff: false, warnings: [], problem: undefined },
  }
  // A name is never a path here, but one that climbs out of folders was not written to be a name.
  if (/(^|[\\/])\.\.([\\/]|$)/.test(key)) return { ...draft, problem: 'Its name contains “../”. Give it another name in the file.' }
  if (draft.name === '') return { ...draft, problem: 'It has no name.' }
  if (!isObject(server)) return { ...draft, problem: 'It is no description of a server.' }
  try {
    const { warnings, ...made } = 'command' in server ? programOf(server) : remoteOf(server)
    const settings = made.settings
    const rest = Object.keys(server).filter((each) => !SILENT.has(each))
    if (rest.length > 0) warnings.push(`Not taken over: ${rest.slice(0, 8).join(', ').slice(0, 200)}${rest.length > 8 ? ' …' : ''}.`)
    const isOff = server['disabled'] === true || server['enabled'] === false
    return { ...draft, ...made, settings, variables: variablesIn(settings), isOff, warnings }
  } catch (error) {
    if (error instanceof Unfit) return { ...draft, problem: error.message }
    throw error
  }
}

/** The settings with the variables filled in. Absent ones are empty. */
export function filledIn(settings: Record<string, unknown>, values: Readonly<Record<string, string>>): Record<string, unknown> {
  const fill = (value: unknown): unknown => {
    if (typeof value === 'string') return value.replace(VARIABLE, (_, inner: string) => values[splitVariable(inner).name] ?? '')
    if (Array.isArray(value)) return value.map(fill)
    return isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, fill(each)])) : value
  }
  return fill(settings) as Record<string, unknown>
}

/** Why a server cannot be taken, in a sentence. */
class Unfit extends Error {}

type Made = Pick<Draft, 'connector' | 'settings' | 'warnings'>

function remoteOf(server: Server): Made {
  const address = server['url'] ?? server['serverUrl'] ?? server['httpUrl']
  if (typeof address !== 'string') throw new Unfit('It has neither an address nor a command.')
  const url = textOf(address.trim(), 'The address')
  const kind = String(server['type'] ?? server['transport'] ?? '').toLowerCase()
  const isEvents = kind === 'sse' || (kind === '' && !('httpUrl' in server) && /\/sse\/?(\?|$)/.test(url))
  const headers = { ...recordOf(server['headers'], 'headers'), ...recordOf(server['http_headers'], 'http_headers') }
  for (const [name, variable] of Object.entries(recordOf(server['env_http_headers'], 'env_http_headers'))) headers[name] = `\${${variable}}`
  const token = server['bearer_token_env_var']
  if (typeof token === 'string' && token !== '') headers['Authorization'] = `Bearer \${${token}}`
  return addressed(url, isEvents, headers, [])
}

function addressed(url: string, isEvents: boolean, headers: Record<string, string>, warnings: string[]): Made {
  const target = URL.parse(url.replace(VARIABLE, 'x'))
  if (!target || !/^https?:$/.test(target.protocol)) throw new Unfit('Its address is no http or https address.')
  if (target.username !== '' || target.password !== '') throw new Unfit('Its address holds a user name or password. Use a header for that.')
  if ([...target.searchParams.keys()].some((name) => SECRET_WORD.test(name)))
    warnings.push('Its address seems to hold a key. Addresses are not sealed: use a header instead if the server takes one.')
  return { connector: isEvents ? 'sse' : 'streamable-http', settings: withRecord({ url }, 'headers', headers), warnings }
}

const SECRET_WORD = /key|token|secret|passw|credential/i

function programOf(server: Server): Made {
  const nested = isObject(server['command']) ? server['command'] : undefined
  const whole = nested ? { ...server, command: nested['path'], args: nested['args'], env: nested['env'] ?? server['env'] } : server
  const words = Array.isArray(whole['command'])
    ? listOf(whole['command'], 'command')
    : [textOf(whole['command'], 'The command'), ...listOf(whole['args'], 'args')]
  const env = { ...recordOf(whole['env'], 'env'), ...recordOf(whole['environment'], 'environment') }
  for (const name of listOf(whole['env_vars'], 'env_vars')) env[name] = `\${${name}}`
  const warnings: string[] = []
  // On Windows programs are started through its shell; here they are started by themselves.
  if (/^cmd(\.exe)?$/i.test(words[0] ?? '') && /^\/c$/i.test(words[1] ?? '')) words.splice(0, 2)
  const [command = '', ...args] = splitCommand(words)
  if (command === '') throw new Unfit('Its command is empty.')
  if (/(^|[\\/])\.\.([\\/]|$)/.test(command)) throw new Unfit('Its command leads out of its folder by “../”.')
  const bridged = withoutBridge(args, env)
  if (bridged) return bridged
  if (args.some((arg, at) => hidesSecret(arg, args[at - 1])))
    warnings.push('An argument seems to be a secret. Arguments are not sealed: use a variable of the environment if the program takes one.')
  return { connector: 'stdio', settings: withRecord({ command, args }, 'env', env), warnings }
}

/** Some write the whole line as the command. */
const splitCommand = (words: string[]): string[] => {
  const [first = '', ...rest] = words
  return rest.length === 0 && /^(npx|uvx|bunx|docker|node|python3?) /.test(first) ? first.split(/\s+/) : words
}

/** `mcp-remote` brings programs that speak only stdio to an address. We speak to the address ourselves. */
function withoutBridge(args: readonly string[], env: Readonly<Record<string, string>>): Made | undefined {
  const at = args.findIndex((arg) => /^mcp-remote(@[\w.-]+)?$/.test(arg))
  const url = args[at + 1]
  if (at < 0 || !url || !/^https?:\/\//.test(url)) return undefined
  const headers: Record<string, string> = {}
  args.forEach((arg, index) => {
    const colon = arg.indexOf(':')
    if (args[index - 1] !== '--header' || colon < 0) return
    headers[arg.slice(0, colon).trim()] = arg
      .slice(colon + 1)
      .trim()
      .replace(VARIABLE, (whole, name: string) => env[name] ?? whole)
  })
  const isEvents = args[args.indexOf('--transport') + 1] === 'sse-only' || /\/sse\/?(\?|$)/.test(url)
  return addressed(url, isEvents, headers, ['mcp-remote is not needed: Toolpass speaks to the address itself and signs in there.'])
}

/** Whether an argument is the value of a flag such as `--api-key`, or such a flag with its value. */
export function hidesSecret(arg: string, before = ''): boolean {
  const flagged = /^--?[\w-]*(key|token|secret|passw|credential)[\w-]*$/i.test(before) && !arg.startsWith('-')
  const isReference = /^\$\{[^}]*\}$/.test(arg.replace(/^[^=]*=/, ''))
  return !isReference && (flagged || /^--?[\w-]*(key|token|secret|passw|credential)[\w-]*=./i.test(arg))
}

const nameOf = (key: string): string =>
  key
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .trim()
    .slice(0, NAME_CHARS_MAX)
    .trim()

function textOf(value: unknown, what: string): string {
  if (typeof value !== 'string' || value.trim() === '') throw new Unfit(`${what} is no text.`)
  if (value.length > VALUE_CHARS_MAX) throw new Unfit(`${what} is too long.`)
  return value
}

function listOf(value: unknown, what: string): string[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value) || value.length > PARTS_MAX) throw new Unfit(`“${what}” is no list of up to ${PARTS_MAX} texts.`)
  return value.map((each) => {
    if (typeof each === 'object' || String(each).length > VALUE_CHARS_MAX) throw new Unfit(`“${what}” holds something that is no text.`)
    return String(each)
  })
}

function recordOf(value: unknown, what: string): Record<string, string> {
  if (value === undefined || value === null) return {}
  const entries = isObject(value) ? Object.entries(value) : undefined
  if (!entries || entries.length > PARTS_MAX) throw new Unfit(`“${what}” is no list of names with values.`)
  return Object.fromEntries(
    entries.flatMap(([name, each]) => {
      if (each === null || each === undefined) return []
      if (typeof each === 'object' || String(each).length > VALUE_CHARS_MAX) throw new Unfit(`“${what}” holds something that is no text.`)
      return [[name, String(each)] as const]
    }),
  )
}

const withRecord = (settings: Record<string, unknown>, name: string, record: Record<string, string>) =>
  Object.keys(record).length > 0 ? { ...settings, [name]: record } : settings

/** `${NAME:-what to take otherwise}`, as shells have it. */
function splitVariable(inner: string): { name: string; fallback: string | undefined } {
  const [name = '', ...rest] = inner.split(':-')
  return { name: name.trim(), fallback: rest.length > 0 ? rest.join(':-') : undefined }
}

function variablesIn(settings: Record<string, unknown>): Draft['variables'] {
  const found = [...JSON.stringify(settings).matchAll(VARIABLE)].map(([, inner = '']) => splitVariable(inner))
  return [...new Map(found.map((each) => [each.name, each])).values()]
}
