import { describe, expect, test } from 'bun:test'
import { confine } from '../../plugins/wasm/module.ts'

const HEAD = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]
const section = (id: number, ...content: number[]) => [id, content.length, ...content]
const moduleOf = (...sections: number[][]) => Uint8Array.from([...HEAD, ...sections.flat()])
const memory = (...limits: number[]) => section(5, 1, ...limits)
const name = (text: string) => [text.length, ...Buffer.from(text)]
/** Exports its memory and its table, so that what they may become can be tried. */
const exported = (...kinds: [string, number][]) => section(7, kinds.length, ...kinds.flatMap(([text, kind]) => [...name(text), kind, 0]))

describe('[WASM-LIMITS] a module as it is run', () => {
  test.each<[string, number[], number]>([
    ['no end of its own', [0, 1], 3],
    ['an end beyond ours', [1, 1, 100], 3],
    ['an end within ours', [1, 1, 2], 2],
  ])('with %s has a memory that ends', async (_what, limits, most) => {
    const made = await WebAssembly.instantiate(await WebAssembly.compile(confine(moduleOf(memory(...limits), exported(['m', 2])), 3)))
    const grown = made.exports['m'] as WebAssembly.Memory
    grown.grow(most - 1)
    expect(() => grown.grow(1)).toThrow()
  })
  test('has tables that end', async () => {
    const made = await WebAssembly.instantiate(
      await WebAssembly.compile(confine(moduleOf(section(4, 1, 0x70, 0, 1), exported(['t', 1])), 3)),
    )
    expect(() => (made.exports['t'] as WebAssembly.Table).grow(2_000_000)).toThrow()
  })
  test('is left as it was otherwise', () => {
    const plain = moduleOf(section(1, 1, 0x60, 1, 0x7f, 1, 0x7e), section(0, ...name('note'), 1, 2, 3))
    expect(confine(plain, 3)).toEqual(plain)
  })
  test.each<[string, Uint8Array, string]>([
    ['nothing', Uint8Array.from([]), 'no sound WebAssembly module'],
    ['another version', Uint8Array.from([...HEAD.slice(0, 4), 2, 0, 0, 0]), 'no sound WebAssembly module'],
    ['a section that ends beyond the file', Uint8Array.from([...HEAD, 5, 100, 1]), 'no sound WebAssembly module'],
    ['a length without end', Uint8Array.from([...HEAD, 5, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), 'no sound WebAssembly module'],
    ['a memory that begins too large', moduleOf(memory(0, 100)), 'wants 7 MB to begin with, and may have 1 MB'],
    ['two memories', moduleOf(section(5, 2, 0, 1, 0, 1)), 'more than one memory'],
    ['shared memory', moduleOf(memory(3, 1, 2)), 'a memory of a kind'],
    ['64-bit memory', moduleOf(memory(4, 1)), 'a memory of a kind'],
    ['a memory from outside', moduleOf(section(2, 1, ...name('e'), ...name('m'), 2, 0, 1)), 'a memory or a table from outside'],
    ['a table that begins too large', moduleOf(section(4, 1, 0x70, 0, 0xff, 0xff, 0xff, 0x7f)), 'a table that is too large'],
    ['types on the engine’s heap', moduleOf(section(1, 1, 0x5f, 0)), 'garbage-collected types'],
    ['recursive types', moduleOf(section(1, 1, 0x4e, 1, 0x5f, 0)), 'garbage-collected types'],
    ['typed references', moduleOf(section(1, 1, 0x60, 1, 0x63, 0x6e, 0)), 'types that Toolpass does not run'],
  ])('with %s is refused', (_what, bytes, message) => {
    expect(() => confine(bytes, 3)).toThrow(message)
  })
})
