/** Lists of entries as they come in: a file that somebody has, or a page of a registry. Pure. */
import { JsonError, parseJson } from '@/lib/json.ts'
import { type Entry, isEntry, readEntry } from './entry.ts'

export type Faulty = { name: string; problem: string }
/** What a registry says about an entry, beside the entry. */
export type Read = { entry: Entry; status: string; isLatest: boolean; updatedAt: string | undefined }
export type Page = { read: Read[]; faulty: Faulty[]; nextCursor: string | undefined }

const OFFICIAL = 'io.modelcontextprotocol.registry/official'
const NAME_SHOWN_CHARS = 80
export const LIST_ENTRIES_MAX = 5_000

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

/** @returns why the whole of it is no list, in a sentence, or its entries and those that are none */
export function readList(text: string): Page | { problem: string } {
  const value = parsed(text)
  if (value === undefined) return { problem: 'This is no JSON, or it is nested too deeply.' }
  const items = itemsOf(value)
  if (!items) return { problem: 'This is neither a server.json, nor a list of them, nor a page of a registry.' }
  if (items.length > LIST_ENTRIES_MAX) return { problem: `A list may hold ${LIST_ENTRIES_MAX} servers; this one has ${items.length}.` }
  const page: Page = { read: [], faulty: [], nextCursor: undefined }
  items.forEach((item, at) => {
    const outer = isObject(item) && isObject(item['server']) ? item : { server: item }
    const entry = readEntry(outer.server)
    if (isEntry(entry)) page.read.push({ entry, ...standingOf(outer) })
    else page.faulty.push({ name: nameOf(outer.server) ?? `entry ${at + 1}`, problem: entry.problem })
  })
  if (isObject(value) && isObject(value['metadata']))
    page.nextCursor = textOf(value['metadata']['nextCursor'] ?? value['metadata']['next_cursor'])
  return page
}

function parsed(text: string): unknown {
  try {
    return parseJson(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    if (error instanceof JsonError) return undefined
    throw error
  }
}

function itemsOf(value: unknown): unknown[] | undefined {
  if (Array.isArray(value)) return value
  if (!isObject(value)) return undefined
  if (Array.isArray(value['servers'])) return value['servers']
  return 'name' in value || 'server' in value ? [value] : undefined
}

const nameOf = (server: unknown): string | undefined => (isObject(server) ? textOf(server['name'])?.slice(0, NAME_SHOWN_CHARS) : undefined)

function standingOf(outer: Record<string, unknown>): Omit<Read, 'entry'> {
  const meta = isObject(outer['_meta']) ? outer['_meta'][OFFICIAL] : undefined
  const said = isObject(meta) ? meta : {}
  return { status: textOf(said['status']) ?? 'active', isLatest: said['isLatest'] !== false, updatedAt: textOf(said['updatedAt']) }
}
