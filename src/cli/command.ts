import type { Config } from '@/config'

export type Asked = {
  config: Config
  name: string
  values: Record<string, string | boolean | string[] | undefined>
  words: readonly string[]
}
export type Command = {
  usage: string
  summary: string
  options?: Record<string, { type: 'string' | 'boolean'; short?: string; multiple?: boolean }>
  run(asked: Asked): Promise<void>
}

/** The command was called wrongly; the message says how it is called. */
export class Usage extends Error {
  override readonly name = 'Usage'
}

export const print = (text: string): void => void process.stdout.write(`${text}\n`)
