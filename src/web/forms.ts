/** What the pages' forms have in common: how fields arrive, and what a refused form looks like. */
import { z } from 'zod'
import { Failure, type FailureCode } from '@/lib/failure.ts'
import { ToolId } from '@/lib/ids.ts'
import type { FormState } from '@views/parts/field.tsx'

/** Longer than any field of ours; what a field may hold in the end is for the rooms to say. */
const FIELD_LENGTH_MAX = 64 * 1024
export const Field = z.string().max(FIELD_LENGTH_MAX)
const FILE_BYTES_MAX = 250 * 1024
/** A field that comes once for each box that is ticked: absent, text or a list, as the body parser has it. */
export const Repeated = <Item extends z.ZodType>(item: Item) => z.union([z.array(item), item]).optional()
export const repeated = <Item>(value: Item | Item[] | undefined): Item[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value]

/** What an app may do with a tool. */
export const Permission = z.enum(['allow', 'ask', 'refuse'])

/** A tool and the hash of the definition that its page showed. */
export const SeenTool = z.string().transform((text, context) => {
  const [id, hash = ''] = text.split(' ')
  const tool = ToolId.safeParse(id)
  if (tool.success && /^[\w-]{43}$/.test(hash)) return { id: tool.data, hash }
  context.addIssue('Not a tool and a hash')
  return z.NEVER
})

/** A text that was pasted, or the file that was chosen instead. @throws Failure `invalid_form` at `file` */
export async function textOrFile({
  text = '',
  file,
}: {
  text?: string | undefined
  file?: unknown
}): Promise<{ text: string; name?: string }> {
  // A browser sends an empty file where none was chosen.
  if (!(file instanceof File) || file.size === 0) return { text }
  const refuse = (sentence: string) => new Failure('invalid_form', { fields: { file: sentence } })
  if (file.size > FILE_BYTES_MAX) throw refuse(`A file may be ${FILE_BYTES_MAX / 1024} KB; this one is larger.`)
  const bytes = new Uint8Array(await file.arrayBuffer())
  if ((bytes[0] === 0x50 && bytes[1] === 0x4b) || (bytes[0] === 0x1f && bytes[1] === 0x8b))
    throw refuse('This is an archive. Unpack it, and choose the file in it.')
  try {
    // Shown as where it came from, never used as a path.
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), name: file.name.replace(/^.*[\\/]/, '').slice(0, 100) }
  } catch {
    throw refuse('This is no text file.')
  }
}

/** The text fields of a form whose names are not known beforehand. Of a field that comes twice, the first counts. */
export function textsOf(body: Readonly<Record<string, unknown>>): Record<string, string> {
  const texts: Record<string, string> = {}
  for (const [name, value] of Object.entries(body)) {
    const first: unknown = Array.isArray(value) ? value[0] : value
    if (typeof first === 'string' && first.length <= FIELD_LENGTH_MAX) texts[name] = first
  }
  return texts
}

/** Noes that belong beside the form: the person can change the input and send it again. Where the field is known, at the field. */
const AT_THE_FORM: Partial<Record<FailureCode, string>> = {
  invalid_form: 'form',
  username_taken: 'username',
  name_taken: 'form',
  names_collide: 'form',
  too_many: 'form',
  tool_not_found: 'form',
  tool_changed: 'form',
}

/** What was sent and why it was refused, for the same page again. @throws whatever is no refusal of a form */
export function refused(error: unknown, values: Readonly<Record<string, string>> = {}): FormState {
  const place = error instanceof Failure ? AT_THE_FORM[error.code] : undefined
  if (!(error instanceof Failure) || place === undefined) throw error
  const errors = Object.keys(error.fields).length > 0 ? error.fields : { [place]: error.message }
  return { values, errors }
}

export const REFUSED = 422
