/**
 * What is a secret or about a person, by its own look or by the word that stands before it. Everything here takes time in proportion to the
 * text: no pattern begins with a repetition of what its next part may be as well.
 */

/** What stands where something was. */
export const mark = (what: string): string => `[redacted: ${what}]`

/** `needs`: a sign that is in each of its matches, which is searched for faster than the pattern is tried everywhere. */
type Pattern = { pattern: RegExp; needs?: string; with: string | ((match: string, ...groups: string[]) => string) }

/** Words of pages and lists: where the next part begins is no secret. */
const HARMLESS_TOKEN =
  /(?:page|next|prev|previous|cursor|continuation|sync|progress|cancel|resume|max|min|num|total|prompt|completion|input|output|stop)[-_ ]?$/i
const KEY_WORDS =
  'passwords?|passwd|passphrase|passcode|pwd|secrets?|tokens?|api[-_ ]?keys?|(?:access|private|secret|signing|encryption|shared|auth|account)[-_ ]?keys?|credentials?|session[-_ ]?(?:id|key)|jwt|connection[-_ ]?string|client[-_ ]?assertion|code[-_ ]?verifier|otp|cvv|cvc'

/** What stands before a word is looked at where there is one, since a pattern that looks back does so at every letter. */
const BEFORE_CHARS = 16
/** `password: …`, `API_KEY=…`, `"token": "…"` inside a text that is no JSON itself, escaped or not. */
const KEYED: Pattern = {
  pattern: new RegExp(
    String.raw`(${KEY_WORDS})(\\*["'*\x60]{0,3}\s{0,3}(?::|=>?|%3D)[*\x60]{0,3}\s{0,3})(?:(")((?:\\.|[^"\\\r\n])+)|(')([^'\r\n]+)|(\\+["'])((?:(?!\\+["'])[^\r\n])+)|([^\s"'\\,;&<>{}()[\]]{4,}))`,
    'gi',
  ),
  with: (match, word, between, double, inDouble, single, inSingle, escaped, inEscaped, bare, at, text = '') => {
    const value = inDouble ?? inSingle ?? inEscaped ?? bare ?? ''
    const before = text.slice(Math.max(0, Number(at) - BEFORE_CHARS), Number(at))
    if ((/^tokens?$/i.test(word ?? '') && HARMLESS_TOKEN.test(before)) || value.startsWith('[redacted')) return match
    return `${word}${between}${double ?? single ?? escaped ?? ''}${mark('secret')}`
  },
}
/** `--db-password …`: what follows it, unless that is the next of them. */
const FLAGS: Pattern = {
  pattern: new RegExp(String.raw`(?<![\w-])(--?(?:[a-z0-9]{1,20}[-_]){0,4}(?:${KEY_WORDS})\s{1,3}\\*["']?)([^\s"'\\-][^\s"'\\]{3,})`, 'gi'),
  with: (match, flag, value) => (value?.startsWith('[redacted') ? match : `${flag}${mark('secret')}`),
}
/** curl's, to the end of the password. */
const USERS: Pattern = {
  pattern: /(?<=\s)((?:-u|--user|--proxy-user)(?:\s{1,3}|=)\\*["']?[^\s:"'\\]{1,64}:)[^\s"'\\]{1,512}/g,
  with: (_, user) => `${user}${mark('password')}`,
}
/** `<password>…</password>`, with a prefix and attributes or without. */
const TAGS: Pattern = {
  pattern: new RegExp(String.raw`(<[\w.:-]{0,40}?(?:${KEY_WORDS})(?:\s[^<>]{0,200})?>)[^<]{1,2000}(?=<)`, 'gi'),
  with: (_, tag) => `${tag}${mark('secret')}`,
}
/** RFC 9110 §11.4, and a cookie, to the end of its line. */
const HEADERS: Pattern = {
  pattern: /\b((?:proxy-)?authorization|(?:set-)?cookie|x-api-key|x-auth-token)(\\*["']?\s{0,3}[:=]\s{0,3}\\*["']?)([^"'\\\r\n]{3,})/gi,
  with: (match, name, between, value) => (value?.startsWith('[redacted') ? match : `${name}${between}${mark('secret')}`),
}
const looksRandom = (text: string): boolean => /\d|[=+/_.~-]|[a-z][A-Z]/.test(text)
const SCHEMES: Pattern = {
  pattern: /\b(bearer|basic|digest|negotiate)( {1,3})([A-Za-z0-9+/=._~-]{8,})/gi,
  with: (match, scheme, space, value) => (looksRandom(value ?? '') ? `${scheme}${space}${mark('secret')}` : match),
}
/** A name and a password, or a token alone, before the host of an address. */
const USERINFO: Pattern = {
  pattern: /\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/?#@"'<>\\]{1,512}@/gi,
  needs: '@',
  with: (_, scheme) => `${scheme}${mark('secret')}@`,
}
const QUERY: Pattern = {
  pattern:
    /([?&;](?:[a-z0-9]{1,20}[-_.]){0,4}(?:sig|signature|key|apikey|code|auth|token|secret|password|pwd|credential|assertion|state|ticket|hmac|sas|jwt)=)([^&#\s"'<>\\]+)/gi,
  needs: '=',
  with: (_, name) => `${name}${mark('secret')}`,
}
/** To its end, or to the end of the text where it was cut. */
const PRIVATE_KEYS: Pattern = {
  pattern: /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----END)[\s\S]){0,20000}(?:-----END [A-Z0-9 ]{0,40}-----)?/g,
  with: mark('private key'),
}
const JWTS: Pattern = {
  pattern: /\bey[JK][A-Za-z0-9_-]{8,8000}\.(?:ey[A-Za-z0-9_-]*|[A-Za-z0-9_-]{8,})(?:\.[A-Za-z0-9_-]*){0,3}/g,
  with: mark('JWT'),
}
/** Ours: access, refresh, device, authorization codes, client secrets, the right to change a client. */
const OURS: Pattern = { pattern: /\btp[a-z]_[A-Za-z0-9_-]{16,}/g, with: mark('Toolpass token') }
/** AWS: an access key's id is worth little alone, and is one half of what signs. */
const AWS_IDS: Pattern = { pattern: /\b(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b/g, with: mark('AWS key') }
const GOOGLE_KEYS: Pattern = {
  pattern: /\bAIza[A-Za-z0-9_-]{35}|\bya29\.[A-Za-z0-9_-]{20,}|\bGOCSPX-[A-Za-z0-9_-]{20,}/g,
  with: mark('Google key'),
}

export const SECRETS: readonly Pattern[] = [
  PRIVATE_KEYS,
  JWTS,
  OURS,
  AWS_IDS,
  GOOGLE_KEYS,
  HEADERS,
  SCHEMES,
  USERINFO,
  QUERY,
  FLAGS,
  USERS,
  TAGS,
  KEYED,
]

/** From where its name begins and from nowhere else, or each letter of a long word would be a beginning. */
const EMAILS: Pattern = {
  pattern: /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,8}/gu,
  needs: '@',
  with: mark('e-mail'),
}
/** In the international form, and in that of North America. */
const PHONES: Pattern = {
  pattern: /(?<![\w+.])(?:\+[1-9]\d{0,2}[ ()./-]{0,2}(?:\d[ ()./-]{0,2}){6,11}\d|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4})(?![\w.])/g,
  with: mark('phone number'),
}
const IBANS: Pattern = {
  pattern: /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b/g,
  with: (match) => (isIban(match) ? mark('IBAN') : match),
}
const CARDS: Pattern = {
  pattern: /(?<![\d.])[2-6]\d{3}(?:[ -]?\d){9,15}(?![\d.])/g,
  with: (match) => (isCard(match) ? mark('card number') : match),
}

/** Cards before phones: a part of one could pass for the other. */
export const PERSONAL: readonly Pattern[] = [EMAILS, IBANS, CARDS, PHONES]

export function replaced(text: string, patterns: readonly Pattern[]): string {
  let rest = text
  for (const { pattern, needs, with: by } of patterns) {
    if (needs !== undefined && !rest.includes(needs)) continue
    rest = typeof by === 'string' ? rest.replace(pattern, by) : rest.replace(pattern, by)
  }
  return rest
}

/** ISO 13616: the four first characters behind the others, letters as numbers, modulo 97. */
function isIban(text: string): boolean {
  const letters = text.replaceAll(' ', '')
  if (letters.length < 15 || letters.length > 34) return false
  let rest = 0
  for (const character of letters.slice(4) + letters.slice(0, 4)) {
    const value = Number.parseInt(character, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest === 1
}

/** ISO/IEC 7812-1: the digit that checks the others. */
export function isCard(text: string): boolean {
  const digits = text.replace(/\D/g, '')
  if (digits.length < 13 || digits.length > 19) return false
  let sum = 0
  for (let at = digits.length - 1, isDoubled = false; at >= 0; at -= 1, isDoubled = !isDoubled) {
    const digit = digits.charCodeAt(at) - 48
    sum += isDoubled ? (digit > 4 ? digit * 2 - 9 : digit * 2) : digit
  }
  return sum % 10 === 0
}

/**
 * Whether a text may hold any of the above. It runs over every call that is kept, and what it does not let through is looked at no further:
 * each pattern has a word or a sign here.
 */
export const HINTS =
  /PRIVATE KEY|ey[JK]|tp[a-z]_[\w-]{16}|AKIA|ASIA|A3T|A[BC][IC]A|AIza|ya29|GOCSPX|uthoriz|(?:auth|AUTH|Auth|pin|PIN)\\*"|ookie|AUTHORIZ|COOKIE|earer|BEARER|[bB]asic|BASIC|[dD]igest|[nN]egotiate|@|[?&;][\w.-]{2,60}=|pass|PASS|Pass|pwd|PWD|[sS]ecret|SECRET|[tT]oken|TOKEN|[kK]ey|KEY|[cC]redential|CREDENTIAL|session|SESSION|Session|jwt|JWT|[cC]onnection|CONNECTION|[aA]ssertion|nemonic|hrase|ecovery|ackup|-u |-user|[vV]erifier|otp|OTP|cv[vc]|CV[VC]|\d{3}[ .)-]{1,2}\d{3}|[+][1-9]\d|\d{12}|\d{4}[ -]\d{4}|[A-Z]{2}\d{2}/

const SECRET_KEYS =
  /(?:password|passwd|passphrase|passcode|pwd|secret|token|apikey|(?:access|private|secret|signing|encryption|shared|auth|account)key|authorization|cookie|credential|session(?:id|key)?|jwt|bearer|otp|pincode|cvv|cvc|clientassertion|codeverifier|connectionstring|mnemonic|seedphrase|(?:recovery|backup)codes?)s?(?:value|pem|hash|plaintext|base64|confirmation)?s?$|^(?:auth|pin)$/
const HARMLESS_KEYS =
  /(?:page|next|prev|previous|cursor|continuation|sync|progress|cancel|resume|max|min|num|total|prompt|completion|input|output|stop)tokens?$/
const NUMBERS_TOO = /(?:pass(?:word|code|wd)|pwd|otp|pin|pincode|cvv|cvc)s?$/
/** Whatever stands below these is secret, however it is called. */
const ALL_BELOW = /(?:credential|secret|cookie|password)s$/

export type KeyVerdict = 'plain' | 'texts' | 'numbers' | 'all'
const verdicts = new Map<string, KeyVerdict>()
const KEYS_KNOWN_MAX = 2_000
const KEY_CHARS_MAX = 128

/** Whether the name of a member says that its value is a secret. */
export function verdictOn(key: string): KeyVerdict {
  const known = verdicts.get(key)
  if (known) return known
  const word = key
    .slice(-KEY_CHARS_MAX)
    .replace(/[^a-z]/gi, '')
    .toLowerCase()
  const isSecret = SECRET_KEYS.test(word) && !HARMLESS_KEYS.test(word)
  const verdict = !isSecret ? 'plain' : ALL_BELOW.test(word) ? 'all' : NUMBERS_TOO.test(word) ? 'numbers' : 'texts'
  if (verdicts.size >= KEYS_KNOWN_MAX) verdicts.clear()
  if (key.length <= KEY_CHARS_MAX) verdicts.set(key, verdict)
  return verdict
}
