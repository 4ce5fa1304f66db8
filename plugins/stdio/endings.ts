type Ending = { code: number | null; signal: string | null; because?: string }

const CONTAINERS = new Set(['docker', 'podman', 'nerdctl'])
const NO_CONTAINERS =
  /cannot connect to the docker daemon|permission denied.*docker|docker daemon socket|is the docker daemon running|failed to connect to the docker api/i
const NOTHING_THERE =
  /\b(E404|404 Not Found|No solution found|not found in the package registry|No matching distribution|manifest unknown|pull access denied)\b/i
const NO_NETWORK =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ConnectionRefused|Temporary failure in name resolution|Failed to fetch)\b/i
const NO_MODULE = /\b(Cannot find module|ModuleNotFoundError|No module named)\b/

/** Why a program ended, in the words of the page, as far as its last lines give it away. None of these words are repeated. */
export function whyItEnded(command: string, { code, signal, because }: Ending, lastLines: readonly string[]): string {
  if (because !== undefined) return because
  const said = lastLines.join('\n')
  const name = command.split('/').at(-1) ?? command
  const how = `The program ended by itself (${signal ?? `exit code ${code}`}).`
  if (CONTAINERS.has(name) && NO_CONTAINERS.test(said))
    return 'Docker is not reachable for Toolpass: the account that Toolpass runs as needs access to a running Docker.'
  if (code === 0 || signal !== null) return how
  if (NOTHING_THERE.test(said)) return `${how} What it should run was not found where it was looked for; check the name and the version.`
  if (NO_NETWORK.test(said)) return `${how} It could not reach the network.`
  if (NO_MODULE.test(said)) return `${how} A part of it is missing; check the name of the package or module.`
  return how
}
