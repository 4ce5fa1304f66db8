/** From a file of anybody's making to what it declares, with the line of each thing that is wrong. */
import { basename, dirname } from 'node:path'
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml'
import { follow, readText } from './references.ts'
import { type Manifest, type Problem, readShape } from './shape.ts'

const FILE_BYTES_MAX = 1024 * 1024
const DEPTH_MAX = 32
const SHOWN_MAX = 20

/** What is wrong with the file, a line each; nothing was changed. */
export class FileRefused extends Error {
  override readonly name = 'FileRefused'
}

export type Read = {
  manifest: Manifest
  /** Problems that were found elsewhere, as lines of this file. */
  refuse(problems: readonly Problem[]): FileRefused
}

/** @throws FileRefused */
export function readFile(path: string, env: Record<string, string | undefined>): Read {
  const read = readText(path, FILE_BYTES_MAX)
  if ('problem' in read) throw new FileRefused(`${path} ${read.problem}`)
  const { root, lineAt, value } = parse(path, read.text)
  const refuse = (problems: readonly Problem[]) => {
    const shown = problems.slice(0, SHOWN_MAX)
    const lines = shown.map(({ path: at, message }) => `${basename(path)}:${lineAt(offsetOf(root, at))}: ${placeOf(at)} ${message}`)
    const more = problems.length > SHOWN_MAX ? [`… and ${problems.length - SHOWN_MAX} more.`] : []
    return new FileRefused([...lines, ...more].join('\n'))
  }
  const shape = readShape(value)
  if ('problems' in shape) throw refuse(shape.problems)
  const followed = follow(shape.declared, { env, folder: dirname(path) })
  if ('problems' in followed) throw refuse(followed.problems)
  return { manifest: followed.manifest, refuse }
}

function parse(path: string, text: string): { root: Node | null; lineAt(offset: number): number; value: unknown } {
  const lineCounter = new LineCounter()
  const lineAt = (offset: number) => lineCounter.linePos(offset).line
  // The package compares each key with each other one; `tame` finds duplicates without that.
  const document = parseDocument(text, { lineCounter, uniqueKeys: false, prettyErrors: false })
  const [error] = [...document.errors, ...document.warnings]
  const fail = (offset: number, message: string) => new FileRefused(`${basename(path)}:${lineAt(offset)}: ${message}`)
  if (error) throw fail(error.pos[0], error.message.includes('call stack') ? 'This is nested too deeply.' : `${error.message}.`)
  tame(document.contents, 0, fail)
  return { root: document.contents, lineAt, value: document.toJS() }
}

/** What YAML can do and a declaration has no use for: copies of copies, keys that hide each other or that are no text. */
function tame(node: unknown, depth: number, fail: (offset: number, message: string) => FileRefused): void {
  const offset = startOf(node)
  if (depth > DEPTH_MAX) throw fail(offset, 'This is nested too deeply.')
  if (isAlias(node)) throw fail(offset, `*${node.source} is an alias; write out what is meant.`)
  if (isSeq(node)) for (const item of node.items) tame(item, depth + 1, fail)
  if (!isMap(node)) return
  const seen = new Set<string>()
  for (const { key, value } of node.items) {
    const name = isScalar(key) ? String(key.value) : undefined
    if (name === undefined) throw fail(offset, 'A name must be plain text.')
    if (name === '__proto__') throw fail(startOf(key), '__proto__ cannot be a name.')
    if (seen.has(name)) throw fail(startOf(key), `${name} is there twice.`)
    seen.add(name)
    tame(value, depth + 1, fail)
  }
}

const startOf = (node: unknown): number => (node as Node | null)?.range?.[0] ?? 0

/** Where a place is in the text: its name, its entry, or what it is missing from. */
function offsetOf(root: Node | null, path: Problem['path']): number {
  let node: unknown = root
  let offset = startOf(root)
  for (const part of path) {
    if (isMap(node)) {
      const pair = (node as YAMLMap).items.find(({ key }) => isScalar(key) && String(key.value) === String(part))
      if (!pair) return offset
      offset = startOf(pair.key)
      node = pair.value
    } else if (isSeq(node)) {
      node = node.items[Number(part)]
      offset = startOf(node)
    } else return offset
  }
  return offset
}

const placeOf = (path: Problem['path']): string =>
  path.reduce<string>((text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`), '') ||
  'The file'
