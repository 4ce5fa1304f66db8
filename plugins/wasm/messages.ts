/** What the house and the runner of a module say to each other: one line of JSON each. */
export type ToRunner =
  | { kind: 'start'; module: string; config: Record<string, string>; pagesMax: number; outputBytesMax: number }
  | { kind: 'call'; name: string; input: string }
  | { kind: 'fetched'; status: number; body: string }
  | { kind: 'not-fetched'; reason: string }

export type FromRunner =
  | { kind: 'ready' }
  /** The module cannot be run at all. */
  | { kind: 'broken'; reason: string }
  | { kind: 'done'; output: string }
  | { kind: 'failed'; reason: string }
  | { kind: 'fetch'; url: string; method: string; headers: Record<string, string>; body: string | null }
  | { kind: 'log'; line: string }

export const MESSAGE_BYTES_MAX = 24 * 1024 * 1024
