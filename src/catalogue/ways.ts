/**
 * What an entry becomes: which connector, with which settings, and what has to be asked for that. Pure, and without a word
 * about who may: a package is a program, and whether somebody may define one is for the connections room to say.
 */
import type { Argument, Entry, Input, NamedInput, Package, Remote } from './entry.ts'

/** One thing to ask for, before the connection can be made. */
export type Question = {
  /** Unique within its way, and fit for a form's field name. */
  key: string
  label: string
  description: string | undefined
  isRequired: boolean
  isSecret: boolean
  /** Several values, one a line. */
  isRepeated: boolean
  value: string | undefined
  placeholder: string | undefined
  choices: readonly string[] | undefined
}

/** One of the ways in which an entry can be used. */
export type Way = {
  id: string
  connector: string
  /** Where it goes: the address or the command line, with what is still to be filled in in braces. */
  summary: string
  runsHere: boolean
  questions: readonly Question[]
  /** Why it cannot be used here. */
  problem: string | undefined
}
type Answers = Readonly<Record<string, string>>
type Settings = Record<string, unknown>

const VARIABLE = /\{([A-Za-z_][\w-]*)\}/g
const RUNNERS: Record<string, { command: string; before: readonly string[]; versioned: (name: string, version: string) => string }> = {
  npm: { command: 'npx', before: ['-y'], versioned: (name, version) => `${name}@${version}` },
  pypi: { command: 'uvx', before: [], versioned: (name, version) => `${name}==${version}` },
  // The image's own address says its version, where there is one.
  oci: { command: 'docker', before: ['run', '-i', '--rm'], versioned: (name) => name },
}

export function waysOf(entry: Entry): Way[] {
  const remotes = (entry.remotes ?? []).map((remote, at) => wayOfRemote(remote, at))
  const packages = (entry.packages ?? []).map((pack, at) => wayOfPackage(pack, at))
  return [...remotes, ...packages]
}

/** With the answers put in. Empty answers to what is not required leave out what they belong to. */
export function settingsOf(entry: Entry, wayId: string, answers: Answers): { connector: string; settings: Settings } | undefined {
  const [kind, at] = wayId.split('-')
  const remote = kind === 'remote' ? entry.remotes?.[Number(at)] : undefined
  if (remote) return { connector: remote.type, settings: remoteSettings(remote, answers) }
  const pack = kind === 'package' ? entry.packages?.[Number(at)] : undefined
  return pack && RUNNERS[pack.registryType] ? { connector: 'stdio', settings: programSettings(pack, answers) } : undefined
}

/** What is required and was not answered. */
export const missing = (way: Way, answers: Answers): Question[] =>
  way.questions.filter(({ key, isRequired, value }) => isRequired && !(answers[key] ?? value ?? '').trim())

function wayOfRemote(remote: Remote, at: number): Way {
  const inAddress = namesIn(remote.url).map((name) => question(`url.${name}`, name, { isRequired: true, ...remote.variables?.[name] }))
  const inHeaders = (remote.headers ?? []).flatMap((header) => questionsOf(header, `header.${header.name}`, header.name))
  return {
    id: `remote-${at}`,
    connector: remote.type,
    summary: remote.url,
    runsHere: false,
    questions: [...inAddress, ...inHeaders],
    problem: undefined,
  }
}

function remoteSettings(remote: Remote, answers: Answers): Settings {
  const url = remote.url.replace(VARIABLE, (_, name: string) =>
    // In the host an escaped character could only be wrong; in the path a raw one could lead elsewhere.
    encodeURIComponent(answers[`url.${name}`]?.trim() || (remote.variables?.[name]?.default ?? '')),
  )
  const headers = filledIn(remote.headers ?? [], 'header', answers)
  return { url, ...(Object.keys(headers).length > 0 ? { headers } : {}) }
}

function wayOfPackage(pack: Package, at: number): Way {
  const runner = RUNNERS[pack.registryType]
  const transport = pack.transport?.type ?? 'stdio'
  const asked = [
    ...(pack.runtimeArguments ?? []).flatMap((each, index) => questionsOf(each, `runtime.${index}`, labelOf(each))),
    ...(pack.packageArguments ?? []).flatMap((each, index) => questionsOf(each, `argument.${index}`, labelOf(each))),
    ...(pack.environmentVariables ?? []).flatMap((each) => questionsOf(each, `env.${each.name}`, each.name)),
  ]
  return {
    id: `package-${at}`,
    connector: 'stdio',
    summary: runner ? [runner.command, ...runner.before, named(pack)].join(' ') : pack.identifier,
    runsHere: true,
    questions: asked,
    problem: runner
      ? transport === 'stdio'
        ? undefined
        : 'It is a server to start by hand: start it, then add it by its address.'
      : `Packages of the kind “${pack.registryType}” cannot be run here.`,
  }
}

const named = ({ registryType, identifier, version }: Package): string => {
  const runner = RUNNERS[registryType]
  return runner && version && version !== 'latest' ? runner.versioned(identifier, version) : identifier
}

function programSettings(pack: Package, answers: Answers): Settings {
  const runner = RUNNERS[pack.registryType] as (typeof RUNNERS)[string]
  const env = filledIn(pack.environmentVariables ?? [], 'env', answers)
  const runtime = (pack.runtimeArguments ?? []).flatMap((each, at) => argumentsOf(each, `runtime.${at}`, answers))
  // A container gets none of our environment by itself; by name alone, no value shows in the list of processes.
  const handedIn = pack.registryType === 'oci' ? Object.keys(env).flatMap((name) => ['-e', name]) : []
  const own = (pack.packageArguments ?? []).flatMap((each, at) => argumentsOf(each, `argument.${at}`, answers))
  const args = [...runner.before, ...runtime, ...handedIn, named(pack), ...own]
  return { command: runner.command, args, ...(Object.keys(env).length > 0 ? { env } : {}) }
}

function argumentsOf(argument: Argument, key: string, answers: Answers): string[] {
  const values = valuesOf(argument, key, answers)
  if (argument.type === 'positional' || !argument.name) return values
  const { name } = argument
  if (argument.format === 'boolean') return values[0] === 'true' ? [name] : []
  return values.flatMap((value) => [name, value])
}

function valuesOf(input: Input & { isRepeated?: boolean | undefined }, key: string, answers: Answers): string[] {
  if (input.value !== undefined) {
    const value = withVariables(input.value, key, answers)
    return value === undefined ? [] : [value]
  }
  const answer = (answers[key] ?? input.default ?? '').trim()
  const lines = input.isRepeated ? answer.split(/\r?\n/).map((each) => each.trim()) : [answer]
  return lines.filter((each) => each !== '')
}

const filledIn = (inputs: readonly NamedInput[], kind: string, answers: Answers): Record<string, string> =>
  Object.fromEntries(inputs.flatMap((input) => valuesOf(input, `${kind}.${input.name}`, answers).map((value) => [input.name, value])))

/** Undefined when a variable has no value: half a header says nothing. */
function withVariables(template: string, key: string, answers: Answers): string | undefined {
  let isWhole = true
  const value = template.replace(VARIABLE, (_, name: string) => {
    const answer = (answers[`${key}.${name}`] ?? '').trim()
    if (answer === '') isWhole = false
    return answer
  })
  return isWhole ? value : undefined
}

/** What a fixed value leaves to be asked for: its variables; without a fixed value, the thing itself. */
function questionsOf(
  input: Input & { variables?: Record<string, Input> | undefined; isRepeated?: boolean | undefined },
  key: string,
  label: string,
) {
  if (input.value === undefined) return [question(key, label, input)]
  return namesIn(input.value).map((name) => question(`${key}.${name}`, label, { ...picked(input), ...input.variables?.[name] }))
}
const picked = ({ description, isRequired, isSecret }: Input): Input => ({ description, isRequired, isSecret })

const question = (key: string, label: string, input: Input & { isRepeated?: boolean | undefined }): Question => ({
  key,
  label,
  description: input.description,
  isRequired: input.isRequired === true,
  isSecret: input.isSecret === true,
  isRepeated: input.isRepeated === true,
  value: input.default,
  placeholder: input.placeholder,
  choices: input.choices,
})

const labelOf = ({ name, valueHint }: Argument): string => name ?? valueHint ?? 'Argument'
const namesIn = (template: string): string[] => [...new Set([...template.matchAll(VARIABLE)].map(([, name = '']) => name))]
