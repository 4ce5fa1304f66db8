import { basename, isAbsolute } from 'node:path'

/** What kind of thing a command starts, where that can be told by its name. */
type Kind = 'own-runtime' | 'npm' | 'python' | 'container' | 'javascript' | 'other'

const KINDS: Readonly<Record<string, Kind>> = {
  javascript: 'own-runtime',
  npx: 'npm',
  bunx: 'npm',
  pnpx: 'npm',
  uvx: 'python',
  uv: 'python',
  pipx: 'python',
  docker: 'container',
  podman: 'container',
  nerdctl: 'container',
  node: 'javascript',
  bun: 'javascript',
  deno: 'javascript',
}

const kindOf = (command: string): Kind => KINDS[basename(command).replace(/\.(exe|cmd)$/, '')] ?? 'other'

/** Why a program is not there and what to do about it. One sentence or two, no path of this machine. */
export function missingProgram(command: string): string {
  const name = basename(command).slice(0, 100)
  const here = `“${name}” is not on the machine that Toolpass runs on.`
  if (isAbsolute(command) && kindOf(command) === 'other') return 'There is no program at this path on the machine that Toolpass runs on.'
  if (/^uvx?$/.test(name)) return `${here} Install uv there, or install the server itself and give its own command.`
  if (name === 'pipx') return `${here} Install pipx there, or install the server itself and give its own command.`
  if (kindOf(command) === 'container')
    return `${here} Docker is not reachable for Toolpass; install it there, or use a form of this server that runs without a container.`
  if (name === 'node' || name === 'bun') return `${here} Use “javascript” instead: it is the runtime that Toolpass brings along.`
  if (name === 'deno') return `${here} Install deno there, or use “javascript” if the server also runs on Node.`
  if (/^python[\d.]*$/.test(name)) return `${here} Install Python there, or use uvx where uv is installed.`
  if (/^(npm|pnpm|yarn|pnpx)$/.test(name)) return `${here} Use “npx -y PACKAGE” instead: Toolpass runs it with its own runtime.`
  return `${here} Install it there, or give its full path.`
}

/** Options of the runners that take the next argument along. */
const TAKES_NEXT = new Set([
  '-p',
  '--package',
  '--from',
  '--with',
  '--python',
  '-c',
  '--index',
  '-e',
  '--env',
  '-v',
  '--volume',
  '--name',
  '--network',
  '--mount',
  '-w',
  '-u',
  '--user',
])

/** The first argument that is no option: the package, or the image after `run`. */
function subjectOf(args: readonly string[]): string | undefined {
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] as string
    if (TAKES_NEXT.has(arg)) at += 1
    else if (!arg.startsWith('-')) return arg
  }
  return undefined
}
const after = (args: readonly string[], word: string): readonly string[] => (args.includes(word) ? args.slice(args.indexOf(word) + 1) : [])
const named = (args: readonly string[], option: string): string | undefined => after(args, option)[0]

/** What starting this command will fetch, and from where, in general terms; undefined when nothing is known to be fetched. */
export function whatItFetches(command: string, args: readonly string[]): string | undefined {
  const kind = kindOf(command)
  const fetched = (what: string | undefined, whose: string, from: string) =>
    what === undefined ? undefined : `Its first start downloads ${whose} “${what.slice(0, 120)}” and what it needs from ${from}.`
  const NPM = 'the npm registry, or the one set up on this machine'
  if (kind === 'npm') return fetched(named(args, '--package') ?? named(args, '-p') ?? subjectOf(args), 'the package', NPM)
  if (kind === 'own-runtime' && args[0] === 'x') return fetched(subjectOf(args.slice(1)), 'the package', NPM)
  const isRunner = /uvx$/.test(basename(command)) || args.includes('run') || args.includes('x')
  if (kind === 'python' && isRunner) {
    const rest = /uvx$/.test(basename(command)) ? args : after(args, 'run')
    return fetched(named(args, '--from') ?? subjectOf(rest), 'the package', 'the Python package index, or the one set up on this machine')
  }
  if (kind === 'container') return fetched(subjectOf(after(args, 'run')), 'the image', 'its container registry, unless it is here already')
  return undefined
}
