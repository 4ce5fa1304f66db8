import { join } from 'node:path'

/** A program inherits these and nothing else of ours: where to find things, how to speak, how to reach its registry. */
const INHERITED = new Set([
  ...['PATH', 'LANG', 'LANGUAGE', 'TZ', 'TERM'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'no_proxy', 'all_proxy'],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'GIT_SSL_CAINFO'],
  ...['npm_config_registry', 'npm_config_userconfig', 'NPM_CONFIG_REGISTRY', 'NPM_CONFIG_USERCONFIG', 'BUN_CONFIG_REGISTRY'],
])
const INHERITED_PREFIXES = ['LC_', 'PIP_', 'UV_']
export const PATH_DEFAULT = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export type ProgramFolders = { home: string; temp: string }
export const foldersOf = (programsDir: string, key: string): ProgramFolders => ({
  home: join(programsDir, key, 'home'),
  temp: join(programsDir, key, 'tmp'),
})

/** The connection's own variables win over all but the mark, by which we find the program again. */
export function environmentOf(
  inherited: Readonly<Record<string, string | undefined>>,
  { home, temp }: ProgramFolders,
  own: Readonly<Record<string, string>>,
  mark: { name: string; value: string },
): Record<string, string> {
  const environment: Record<string, string> = { PATH: PATH_DEFAULT }
  for (const [name, value] of Object.entries(inherited)) {
    const passes = INHERITED.has(name) || INHERITED_PREFIXES.some((prefix) => name.startsWith(prefix))
    if (passes && value !== undefined) environment[name] = value
  }
  return { ...environment, HOME: home, TMPDIR: temp, ...own, [mark.name]: mark.value }
}
