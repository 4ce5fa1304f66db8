/** Which entries somebody means. Pure. */
import type { Listed } from './catalogue.ts'
import { titleOf, wayInOf, type WayIn } from './entry.ts'

/** Every word has to be somewhere in the title, name or description; a title that begins so comes first. */
export function search(listed: readonly Listed[], { q = '', wayIn }: { q?: string | undefined; wayIn?: WayIn | undefined }): Listed[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean)
  const [first = ''] = words
  const found = listed.filter(({ entry }) => {
    if (wayIn !== undefined && wayInOf(entry) !== wayIn) return false
    const text = `${titleOf(entry)}\n${entry.name}\n${entry.description}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
  const rank = ({ entry }: Listed) =>
    titleOf(entry).toLowerCase().startsWith(first) ? 0 : entry.name.toLowerCase().includes(first) ? 1 : 2
  return words.length === 0 ? found : found.toSorted((a, b) => rank(a) - rank(b))
}
