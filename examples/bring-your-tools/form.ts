/** From a tool's input schema to the fields of a form, and back from the form to arguments. */
import type { Tool } from '@modelcontextprotocol/client'

export type Field = {
  name: string
  kind: 'text' | 'number' | 'yes-no' | 'choice' | 'json'
  hint: string
  required: boolean
  choices: readonly string[]
}
type Property = { type?: unknown; enum?: unknown; description?: unknown }

export function fieldsOf({ inputSchema }: Pick<Tool, 'inputSchema'>): Field[] {
  const required = new Set(inputSchema.required)
  return Object.entries(inputSchema.properties ?? {}).map(([name, described]) => {
    const { type, enum: choices, description } = described as Property
    const isChoice = Array.isArray(choices) && choices.every((choice) => typeof choice === 'string')
    return {
      name,
      kind: isChoice ? 'choice' : kindOf(type),
      hint: typeof description === 'string' ? description : '',
      required: required.has(name),
      choices: isChoice ? choices : [],
    }
  })
}

const kindOf = (type: unknown): Field['kind'] =>
  type === 'string' ? 'text' : type === 'number' || type === 'integer' ? 'number' : type === 'boolean' ? 'yes-no' : 'json'

/** An empty field is an argument that is not given. @throws SyntaxError where a field should hold JSON and does not */
export function argumentsOf(fields: readonly Field[], form: URLSearchParams): Record<string, unknown> {
  const given: [string, unknown][] = []
  for (const { name, kind, required } of fields) {
    const text = form.get(`argument.${name}`) ?? ''
    if (text === '' && !(required && kind === 'text')) continue
    given.push([name, kind === 'number' ? Number(text) : kind === 'yes-no' ? text === 'yes' : kind === 'json' ? JSON.parse(text) : text])
  }
  return Object.fromEntries(given)
}
