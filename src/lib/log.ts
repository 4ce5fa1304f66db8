/** The log: one line a record, `pretty` for people or `json` for machines. Secrets have no business here: pass names and ids. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]
export type LogFields = Record<string, string | number | boolean | null | undefined>

export type Log = {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  /** With the error whole: stack and causes. */
  error(message: string, error?: unknown, fields?: LogFields): void
}

const COLOURS: Record<LogLevel, string> = { debug: '\x1b[2m', info: '\x1b[36m', warn: '\x1b[33m', error: '\x1b[31m' }

// A name that somebody chose must not be able to write a log line of its own, or steer a terminal.
const printable = (text: string) => text.replace(/[\p{Cc}\p{Cf}]/gu, ' ')

const whole = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `\ncaused by ${whole(error.cause)}`
  return (error.stack ?? `${error.name}: ${error.message}`) + cause
}

const pretty = (level: LogLevel, message: string, fields: LogFields, error: unknown, colour: boolean) => {
  const time = new Date().toISOString().slice(11, 19)
  const mark = colour ? `${COLOURS[level]}${level.padEnd(5)}\x1b[0m` : level.padEnd(5)
  const rest = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${printable(String(value))}`)
    .join('')
  return `${time} ${mark} ${printable(message)}${rest}${error === undefined ? '' : `\n${whole(error)}`}`
}

const json = (level: LogLevel, message: string, fields: LogFields, error: unknown) =>
  JSON.stringify({ time: new Date().toISOString(), level, message, ...fields, ...(error === undefined ? {} : { error: whole(error) }) })

/** Begins what nobody waits for: a fault of it is told to the log and to nobody else. */
export const createQuietly =
  (log: Pick<Log, 'error'>) =>
  (what: string, work: () => Promise<unknown>): void =>
    void work().catch((error) => log.error(`${what} failed`, error))

export function createLog(options: { level: LogLevel; format: 'pretty' | 'json'; colour?: boolean; write: (line: string) => void }): Log {
  const least = LOG_LEVELS.indexOf(options.level)
  const put = (level: LogLevel, message: string, fields: LogFields = {}, error?: unknown) => {
    if (LOG_LEVELS.indexOf(level) < least) return
    options.write(
      options.format === 'json' ? json(level, message, fields, error) : pretty(level, message, fields, error, options.colour ?? false),
    )
  }
  return {
    debug: (message, fields) => put('debug', message, fields),
    info: (message, fields) => put('info', message, fields),
    warn: (message, fields) => put('warn', message, fields),
    error: (message, error, fields) => put('error', message, fields, error),
  }
}
