import { expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { REQUIREMENTS } from './requirements.ts'

const root = resolve(import.meta.dir, '..')
const ID = /^[A-Z][A-Z0-9]*(-[A-Z0-9.]+)+$/
/** A citation opens a test's name: `[ABUSE-01]`, or `[ABUSE-06, ABUSE-07]`. */
const CITATION = /['"`]\[([A-Z][A-Z0-9]*-[A-Z0-9.-]+(?:, [A-Z][A-Z0-9]*-[A-Z0-9.-]+)*)\]/g

const cited = new Map<string, string[]>()
for (const file of new Bun.Glob('**/*.test.{ts,tsx}').scanSync(import.meta.dir)) {
  if (file === basename(import.meta.path)) continue
  for (const [, ids = ''] of readFileSync(join(import.meta.dir, file), 'utf8').matchAll(CITATION))
    for (const id of ids.split(', ')) cited.set(id, [...(cited.get(id) ?? []), file])
}

test('ids are well-formed and listed once', () => {
  const ids = REQUIREMENTS.map(({ id }) => id)
  expect(ids.filter((id) => !ID.test(id))).toEqual([])
  expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([])
})

test('each requirement is a sentence and says where it is written', () => {
  for (const { id, says, clause } of REQUIREMENTS) {
    expect({ id, says }).toEqual({ id, says: expect.stringMatching(/^[A-Z"].{15,}\.$/) })
    if (!clause.startsWith('https://')) expect({ id, anchor: anchorExists(clause) }).toEqual({ id, anchor: true })
  }
})

test('each requirement is proved by a test that cites it', () => {
  expect(REQUIREMENTS.map(({ id }) => id).filter((id) => !cited.has(id))).toEqual([])
})

test('each citation is of a listed requirement', () => {
  const known = new Set(REQUIREMENTS.map(({ id }) => id))
  expect([...cited].filter(([id]) => !known.has(id))).toEqual([])
})

/** `FILE.md#heading`, the heading as its slug. */
function anchorExists(clause: string): boolean {
  const [file = '', anchor] = clause.split('#')
  if (!existsSync(join(root, file))) return false
  if (anchor === undefined) return true
  const headings = [...readFileSync(join(root, file), 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => slug(heading))
  return headings.includes(anchor)
}

const slug = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} -]/gu, '')
    .trim()
    .replaceAll(' ', '-')
