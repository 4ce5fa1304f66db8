/** The question to a user inside their app: what is about to run, with its arguments, and four answers of which none is set beforehand. */
import type { Approval, Decision } from '@/grants'
import type { JsonObject } from '@/plugins'

const ANSWERS: readonly (readonly [Decision, string])[] = [
  ['once', 'Approve once'],
  ['hour', 'Approve for an hour'],
  ['always', 'Always allow'],
  ['refuse', 'Refuse'],
]
/** A form in an app is small; the page shows all of it. */
const TEXT_CHARS_MAX = 2_000

export const isDecision = (value: unknown): value is Decision => ANSWERS.some(([decision]) => decision === value)

// Characters that turn text around, hide in it or have no look of their own: what is read has to be what runs. As JSON spells them, so it
// stays JSON. A single selector behind a picture is left alone.
const INVISIBLE =
  /(?!(?<![\ufe00-\ufe0f])\ufe0f(?![\ufe00-\ufe0f]))[\p{Default_Ignorable_Code_Point}\p{Co}\u007f-\u009f\u2028-\u202e\u2800\ufff9-\ufffb]/gu
const spelt = (text: string): string =>
  text.replace(INVISIBLE, (hidden) =>
    [...Array(hidden.length)].map((_, at) => `\\u${hidden.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
  )

export function formFor({ exposedName, shown, purpose }: Approval, { isModern, link }: { isModern: boolean; link: string }): JsonObject {
  const { kind, connectionName, profileTitle, text, cutChars } = shown
  const cut = Math.max(0, text.length - TEXT_CHARS_MAX) + cutChars
  const message = [
    `Toolpass: may ${exposedName} (${kind}) of ${spelt(connectionName)} be used? You set it to ask first, in the profile ${spelt(profileTitle)}.`,
    ...(purpose ? [`The app says why: ${spelt(purpose)}`] : []),
    `With: ${spelt(text.slice(0, TEXT_CHARS_MAX))}`,
    ...(cut > 0 ? [`… and ${cut} characters more. Read all of it here before you decide: ${link}`] : [`Also here: ${link}`]),
  ].join('\n')
  const values = ANSWERS.map(([decision]) => decision)
  const titles = ANSWERS.map(([, title]) => title)
  const choice = isModern
    ? { oneOf: ANSWERS.map(([decision, title]) => ({ const: decision, title })) }
    : { enum: values, enumNames: titles }
  return {
    mode: 'form',
    message,
    requestedSchema: {
      type: 'object',
      properties: { decision: { type: 'string', title: 'Your decision', ...choice } },
      required: ['decision'],
    },
  }
}
