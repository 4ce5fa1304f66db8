/**
 * JSON as editors keep it, with comments and commas before a closing bracket, as plain JSON. By a single pass over the text, so
 * that what is in a string stays as it is, and hostile nesting costs nothing.
 */
export function plainJson(text: string): string {
  const parts: string[] = []
  let comma = -1
  for (let at = 0; at < text.length; ) {
    const end = endOfPart(text, at)
    const part = text.slice(at, end)
    const isComment = part.startsWith('//') || part.startsWith('/*')
    if ((part === '}' || part === ']') && comma >= 0) parts[comma] = ''
    if (!isComment) {
      if (part === ',') comma = parts.length
      else if (part.trim() !== '') comma = -1
      parts.push(part)
    }
    at = end
  }
  return parts.join('')
}

/** Strings and comments are one part each; any other character is a part by itself. */
function endOfPart(text: string, at: number): number {
  if (text[at] === '"') {
    for (let end = at + 1; end < text.length; end += 1) {
      if (text[end] === '\\') end += 1
      else if (text[end] === '"') return end + 1
    }
    return text.length
  }
  if (text.startsWith('//', at)) return from(text, '\n', at, 0)
  if (text.startsWith('/*', at)) return from(text, '*/', at + 2, 2)
  return at + 1
}

function from(text: string, what: string, at: number, length: number): number {
  const found = text.indexOf(what, at)
  return found < 0 ? text.length : found + length
}
