/**
 * What in a tool's definition a person should look at before a model reads it: characters that nobody sees, letters that pass for others,
 * and words that speak to the model instead of about the tool. Hints for somebody who looks, and no verdict: what is found is pointed out,
 * what is not found is not thereby harmless.
 */
import type { JsonObject } from '@/plugins'

export type Suspicion = {
  kind: 'hidden' | 'look-alike' | 'instruction' | 'secret' | 'other-tool' | 'unread'
  /** Where it stands: `description`, `argument path`, ... */
  where: string
  /** In a sentence of ours. */
  says: string
  /** The text around it, cut; what was found is from `from` to `to`. */
  excerpt: string
  from: number
  to: number
}
/** Tools of other servers beside this one, which it has no reason to speak of; those of its own server are its own affair. */
export type Neighbours = { named: ReadonlyMap<string, string>; looks: ReadonlyMap<string, string> }

type Found = Omit<Suspicion, 'where' | 'excerpt'>
type Text = { where: string; text: string; isName: boolean }

const FOUND_MAX = 12
const TEXTS_MAX = 200
const TEXT_CHARS_MAX = 20_000
const DEPTH_MAX = 6
const AROUND = 60
const OTHERS_MAX = 3
const ALONE: Neighbours = { named: new Map(), looks: new Map() }

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

/** All of it, the worst first of each text; no more than anybody reads. */
export function suspicionsIn(definition: JsonObject, neighbours: Neighbours = ALONE): Suspicion[] {
  const found: Suspicion[] = []
  for (const { where, text, isName } of textsOf(definition)) {
    const cut = text.slice(0, TEXT_CHARS_MAX)
    const here = [...hiddenIn(cut), ...lookAlikesIn(cut, isName), ...(isName ? [] : [...wordsIn(cut), ...othersIn(cut, neighbours)])]
    for (const each of here) if (found.length < FOUND_MAX) found.push({ ...each, where, ...around(cut, each) })
  }
  const name = typeof definition['name'] === 'string' ? definition['name'] : ''
  const twin = neighbours.looks.get(skeletonOf(name))
  // Of a plain name and one with strange letters, the plain one is what the other pretends to be.
  const isImitated = twin !== undefined && /^[\x21-\x7e]*$/.test(name) && !/^[\x21-\x7e]*$/.test(twin)
  if (twin !== undefined && twin !== name && !isImitated && found.length < FOUND_MAX) {
    const says = `Its name looks like that of another server’s tool, ${twin.slice(0, 64)}.`
    found.push({ kind: 'look-alike', where: 'name', says, excerpt: name, from: 0, to: name.length })
  }
  return found
}

/** Whatever a model is shown of it. */
function textsOf(definition: JsonObject): Text[] {
  const texts: Text[] = []
  const add = (where: string, text: unknown, isName = false) => {
    if (typeof text === 'string' && text !== '' && texts.length < TEXTS_MAX) texts.push({ where, text, isName })
  }
  add('name', definition['name'], true)
  add('title', definition['title'])
  if (isObject(definition['annotations'])) add('title', definition['annotations']['title'])
  add('description', definition['description'])
  schemaTexts(definition['inputSchema'], 'argument', add, 0)
  schemaTexts(definition['outputSchema'], 'result', add, 0)
  for (const argument of Array.isArray(definition['arguments']) ? definition['arguments'] : []) {
    if (!isObject(argument)) continue
    add('argument', argument['name'], true)
    add(`argument ${String(argument['name']).slice(0, 64)}`, argument['description'])
  }
  return texts
}

function schemaTexts(schema: unknown, where: string, add: (where: string, text: unknown, isName?: boolean) => void, depth: number): void {
  if (depth > DEPTH_MAX) return
  if (Array.isArray(schema)) for (const each of schema) schemaTexts(each, where, add, depth + 1)
  if (!isObject(schema)) return
  for (const key of ['title', 'description', 'default', 'const', '$comment']) add(where, schema[key])
  for (const key of ['enum', 'examples'])
    for (const value of Array.isArray(schema[key]) ? (schema[key] as unknown[]) : []) add(where, value)
  for (const key of ['properties', '$defs', 'definitions']) {
    if (!isObject(schema[key])) continue
    for (const [name, inner] of Object.entries(schema[key])) {
      add(where, name, true)
      schemaTexts(inner, `${where.split(' ')[0]} ${name.slice(0, 64)}`, add, depth + 1)
    }
  }
  for (const key of ['items', 'prefixItems', 'additionalProperties', 'allOf', 'anyOf', 'oneOf'])
    schemaTexts(schema[key], where, add, depth + 1)
}

function around(text: string, { from, to }: Found): Pick<Suspicion, 'excerpt' | 'from' | 'to'> {
  const start = Math.max(0, from - AROUND)
  const end = Math.min(text.length, Math.min(to, from + 4 * AROUND) + AROUND)
  const lead = start === 0 ? '' : '…'
  const excerpt = `${lead}${text.slice(start, end)}${end === text.length ? '' : '…'}`
  return { excerpt, from: from - start + lead.length, to: Math.min(to, end) - start + lead.length }
}

/** Format characters, fillers and controls that no text about a tool needs. Joiners and marks of direction have their scripts; see below. */
const UNSEEN =
  /(?:\p{Variation_Selector}|\u034f|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\u{1bca0}-\u{1bca3}\u{e0000}-\u{e00ff}\u{e01f0}-\u{e0fff}\u{f0000}-\u{10ffff}\ue000-\uf8ff])+/gu
const EMOJI_TAGS = /\u{1f3f4}[\u{e0020}-\u{e007e}]{2,6}\u{e007f}/gu
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/u
const JOINING = /[\p{Extended_Pictographic}\p{M}\u0600-\u06ff\u0750-\u077f\u0900-\u0dff\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff]/u

function hiddenIn(text: string): Found[] {
  // The flags of regions are written with tags, and look like what they are.
  const plain = text.replace(EMOJI_TAGS, (flag) => 'x'.repeat(flag.length))
  return [...plain.matchAll(UNSEEN)].flatMap(({ 0: run, index }): Found[] => {
    if (isAtHome(run, plain, index)) return []
    const points = [...run].map((letter) => letter.codePointAt(0) ?? 0)
    return [{ kind: 'hidden', says: saysOf(points, run), from: index, to: index + run.length }]
  })
}

/** One joiner or selector where a script or a picture has use for it. */
function isAtHome(run: string, text: string, at: number): boolean {
  const before = [...text.slice(Math.max(0, at - 2), at)].at(-1) ?? ''
  const after = [...text.slice(at + run.length, at + run.length + 2)][0] ?? ''
  if (/^[\u200c\u200d]$/.test(run)) return JOINING.test(before) && JOINING.test(after)
  if (/^\ufe0f\u200d$/.test(run)) return JOINING.test(before) && JOINING.test(after)
  if (/^[\ufe0e\ufe0f]$/.test(run)) return /[\p{Extended_Pictographic}\p{S}\p{Emoji}]/u.test(before)
  if (/^[\u200e\u200f\u061c]$/.test(run)) return RIGHT_TO_LEFT.test(text)
  if (/^\ufeff$/.test(run)) return at === 0
  return false
}

function saysOf(points: readonly number[], run: string): string {
  const inTags = points.filter((point) => point >= 0xe0000 && point <= 0xe007f)
  const written = inTags.map((point) => (point >= 0xe0020 && point < 0xe007f ? String.fromCharCode(point - 0xe0000) : '')).join('')
  if (written !== '') return `Text that nobody sees is written here in tag characters: “${written.slice(0, 120)}”`
  if (/[\u202a-\u202e\u2066-\u2069]/.test(run))
    return 'Marks here turn the direction of the text around, so that it reads otherwise than it looks.'
  if (points.some((point) => (point >= 0xfe00 && point <= 0xfe0f) || (point >= 0xe0100 && point <= 0xe01ef)))
    return `${points.length === 1 ? 'A variation selector stands' : `${points.length} variation selectors stand`} here, in which text can be hidden.`
  const names = [...new Set(points)].slice(0, 4).map((point) => `U+${point.toString(16).toUpperCase().padStart(4, '0')}`)
  return `Characters that nobody sees stand here: ${names.join(', ')}.`
}

/** Letters of other alphabets that pass for ours. */
const TWINS: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ['аɑα', 'a'],
    ['ϲс', 'c'],
    ['ԁ', 'd'],
    ['еҽ', 'e'],
    ['ɡց', 'g'],
    ['һհ', 'h'],
    ['іι', 'i'],
    ['јϳ', 'j'],
    ['кκ', 'k'],
    ['ӏ', 'l'],
    ['мｍ', 'm'],
    ['ո', 'n'],
    ['оοօ', 'o'],
    ['рρ', 'p'],
    ['ԛ', 'q'],
    ['г', 'r'],
    ['ѕ', 's'],
    ['т', 't'],
    ['υս', 'u'],
    ['νѵ', 'v'],
    ['ԝѡ', 'w'],
    ['хχ', 'x'],
    ['уү', 'y'],
    ['АΑ', 'A'],
    ['ВΒ', 'B'],
    ['СϹ', 'C'],
    ['ЕΕ', 'E'],
    ['НΗ', 'H'],
    ['ІΙ', 'I'],
    ['Ј', 'J'],
    ['КΚ', 'K'],
    ['МΜ', 'M'],
    ['Ν', 'N'],
    ['ОΟ', 'O'],
    ['РΡ', 'P'],
    ['Ѕ', 'S'],
    ['ТΤ', 'T'],
    ['Υ', 'Y'],
    ['ХΧ', 'X'],
    ['Ζ', 'Z'],
  ].flatMap(([letters = '', plain = '']) => [...letters].map((letter) => [letter, plain] as const)),
)
const WORD = /[\p{L}\p{N}_-]+/gu
/** Greek beside ours is often a unit or a formula; these are the letters that are neither. */
const isTwin = (letter: string): boolean => Object.hasOwn(TWINS, letter) && !/[αρχνκικυ]/.test(letter)

const couldBeOurs = (letter: string): boolean => Object.hasOwn(TWINS, letter) || /[\uff01-\uff5e]/.test(letter)

function lookAlikesIn(text: string, isName: boolean): Found[] {
  return [...text.matchAll(WORD)].flatMap(({ 0: word, index }): Found[] => {
    const letters = [...word]
    const strange = letters.filter(isName ? couldBeOurs : isTwin)
    if (strange.length === 0) return []
    const isMixed = /[a-z]/i.test(word)
    // A word that is wholly of another alphabet is a word of that language, but a name that could be ours in every letter is a trap.
    const isTrap = isName && letters.every((letter) => /[\x21-\x7e]/.test(letter) || couldBeOurs(letter))
    if (!isMixed && !isTrap) return []
    const says = `“${word.slice(0, 60)}” has ${strange.length === 1 ? 'a letter' : 'letters'} of another alphabet: ${[...new Set(strange)].slice(0, 5).join(' ')}`
    return [{ kind: 'look-alike', says, from: index, to: index + word.length }]
  })
}

/** How a name looks, for the eye that skims it. */
export const skeletonOf = (name: string): string =>
  [...name.normalize('NFKC')]
    .map((letter) => TWINS[letter] ?? letter)
    .join('')
    .replace(UNSEEN, '')
    .toLowerCase()
    .replace(/[1|]/g, 'l')
    .replace(/i(?=[lL1])/g, 'l')
    .replace(/0/g, 'o')
    .replace(/rn/g, 'm')

type Pattern = { kind: Suspicion['kind']; pattern: RegExp; says: string }
/** What speaks to the model of other things than this tool. Each wants more than one word, since honest texts are full of single ones. */
const PATTERNS: readonly Pattern[] = [
  {
    kind: 'instruction',
    pattern:
      /\b(?:ignore|disregard|forget|override|bypass)\b[^.\n]{0,30}\b(?:previous|prior|above|earlier|preceding|other|all|any|system|safety|your)\b[^.\n]{0,30}\b(?:instructions?|rules?|prompts?|guidelines|directives|policies|messages)\b/gi,
    says: 'It tells the model to set its instructions aside.',
  },
  {
    kind: 'instruction',
    pattern:
      /\b(?:do not|don['’]t|never|must not|should not|without)\b[^.\n]{0,30}\b(?:tell(?:ing)?|mention(?:ing)?|inform(?:ing)?|notify(?:ing)?|reveal(?:ing)?|disclos(?:e|ing)|alert(?:ing)?|let(?:ting)?)\b[^.\n]{0,40}\b(?:users?|human|person|anyone|anybody)\b/gi,
    says: 'It wants something kept from the user.',
  },
  {
    kind: 'instruction',
    pattern:
      /\b(?:users?|human)\b[^.\n]{0,20}\b(?:must|should|need|may|can|does|do)\s*(?:not|n['’]t)\b[^.\n]{0,20}\b(?:know|be told|be aware|be informed|notice|find out)\b/gi,
    says: 'It wants something kept from the user.',
  },
  {
    kind: 'instruction',
    pattern:
      /<\s*\/?\s*(?:important|system|secret|instructions?|hidden|admin|critical|override|developer|assistant)(?![\w-])[^>\n]{0,60}>|\[\/?(?:INST|SYSTEM)\]|<\|(?:im_start|im_end|system|user|assistant)\|?>/gi,
    says: 'It is dressed up as an instruction from the system.',
  },
  {
    kind: 'instruction',
    pattern:
      /\b(?:secretly|silently|covertly|quietly|in secret)\b[^.\n]{0,40}\b(?:send|forward|copy|include|call|use|run|execute|read|upload|add|pass|invoke)\b/gi,
    says: 'It wants something done unseen.',
  },
  {
    kind: 'instruction',
    pattern: /\b(?:you are now|from now on,? you|new system prompt|act as (?:the )?(?:system|administrator|root))\b/gi,
    says: 'It tells the model to be something else.',
  },
  {
    kind: 'secret',
    pattern:
      /(?:~|\$HOME|\/home\/\w+|\/root)\/\.(?:ssh|aws|gnupg|config|cursor|kube|docker|netrc|npmrc|env)\b|\bid_(?:rsa|ed25519|ecdsa)\b|\/etc\/(?:passwd|shadow|sudoers)\b|\bclaude_desktop_config\.json\b|\.aws\/credentials\b/gi,
    says: 'It speaks of files in which secrets are kept.',
  },
  {
    kind: 'secret',
    pattern:
      /\b(?:pass|send|include|put|append|attach|forward|copy|embed|leak|exfiltrate|upload|provide)\b[^.\n]{0,60}\b(?:(?:entire|whole|full|previous|complete)\s+(?:conversation|context)|conversation history|chat history|system prompt|private keys?|ssh keys?|environment variables|(?:user['’]?s?|your|their|all|any)\s+(?:passwords?|credentials|secrets|api keys?|tokens))\b/gi,
    says: 'It asks for what is none of its business: secrets, or what was said before.',
  },
  {
    kind: 'secret',
    pattern:
      /\b(?:read|open|cat|load|fetch|access|retrieve)\b[^.\n]{0,80}\b(?:and|then)\b[^.\n]{0,30}\b(?:pass|send|include|put|append|attach|provide|supply)\b[^.\n]{0,40}\b(?:as|in|into|to|with)\b[^.\n]{0,30}\b(?:parameter|argument|field|sidenote|this tool|note|context)\b/gi,
    says: 'It asks that something else be read and handed over.',
  },
  {
    kind: 'other-tool',
    pattern:
      /\b(?:always|all|every|any|each|bcc|copy|forward)\b[^.\n]{0,60}\b(?!(?:[\w.+-]+@)?example\.)[\w.+-]+@(?!example\.|[\w-]*\.example\b)[\w-]+(?:\.[\w-]+)+/gi,
    says: 'It wants things sent to an address.',
  },
  {
    kind: 'other-tool',
    pattern:
      /\bwhen(?:ever)?\b[^.\n]{0,60}\b(?:other|another|any|that|the [\w-]+) tools? (?:is|are) (?:called|used|invoked|available|present)\b[^\n]{0,120}\b(?:must|always|have to|need to|instead)\b/gi,
    says: 'It gives orders about the use of other tools.',
  },
]

const wordsIn = (text: string): Found[] =>
  PATTERNS.flatMap(({ kind, pattern, says }) =>
    [...text.matchAll(pattern)].slice(0, 1).map(({ 0: found, index }) => ({ kind, says, from: index, to: index + found.length })),
  )

/** A name that is more than a word: nobody writes `send_email` by chance. */
const isTelling = (name: string): boolean => name.length >= 5 && /[_-]|[a-z][A-Z]|\d/.test(name)

function othersIn(text: string, { named }: Neighbours): Found[] {
  if (named.size === 0) return []
  const seen = new Set<string>()
  return [...text.matchAll(/[\w-]+/g)].flatMap(({ 0: word, index }): Found[] => {
    const other = named.get(word.toLowerCase())
    if (other === undefined || seen.has(other) || seen.size >= OTHERS_MAX) return []
    seen.add(other)
    return [
      { kind: 'other-tool', says: `It speaks of another server’s tool, ${other.slice(0, 64)}.`, from: index, to: index + word.length },
    ]
  })
}

type Named = { name: string; connectionId: string }

/** So long all definitions of a page are looked through: a server that writes without end holds up nobody. */
const LOOKING_MS_MAX = 400
const UNREAD: Suspicion = {
  kind: 'unread',
  where: 'definition',
  says: 'The definitions here are so long that this one was not looked through.',
  excerpt: '',
  from: 0,
  to: 0,
}

/** Looks through definitions among these tools; what is theirs is none of another server's. */
export function createLook(tools: readonly Named[], msMax = LOOKING_MS_MAX): (definition: JsonObject, connectionId: string) => Suspicion[] {
  const neighbours = neighboursAmong(tools)
  let spentMs = 0
  return (definition, connectionId) => {
    if (spentMs > msMax) return [UNREAD]
    const startedMs = performance.now()
    const found = suspicionsIn(definition, neighbours(connectionId))
    spentMs += performance.now() - startedMs
    return found
  }
}

/** Of each connection's tools, those that are none of its own: by name, and by how a name looks. */
export function neighboursAmong(tools: readonly Named[]): (connectionId: string) => Neighbours {
  const of = new Map<string, Neighbours>()
  return (connectionId) => {
    const known = of.get(connectionId)
    if (known) return known
    const own = new Set(tools.filter((tool) => tool.connectionId === connectionId).map(({ name }) => name.toLowerCase()))
    const others = tools.filter((tool) => tool.connectionId !== connectionId && !own.has(tool.name.toLowerCase())).map(({ name }) => name)
    const made: Neighbours = {
      named: new Map(others.filter(isTelling).map((name) => [name.toLowerCase(), name])),
      looks: new Map(others.map((name) => [skeletonOf(name), name])),
    }
    of.set(connectionId, made)
    return made
  }
}
