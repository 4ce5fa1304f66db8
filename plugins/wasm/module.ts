const MEMORY_PAGE_BYTES = 65_536
const TABLE_ENTRIES_MAX = 1_000_000
const MAGIC = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]
const FUNCTION_TYPE = 0x60
const SECTIONS = { types: 1, imports: 2, tables: 4, memories: 5 } as const

/** Why a module is not run, in one sentence. */
export class ModuleProblem extends Error {
  override readonly name = 'ModuleProblem'
}

type Reader = ReturnType<typeof createReader>

/** Reads the binary format (WebAssembly core specification §5). Everything beyond the end is a `ModuleProblem`. */
function createReader(bytes: Uint8Array) {
  let at = 0
  const broken = () => new ModuleProblem('The file is no sound WebAssembly module.')
  const byte = (): number => {
    const value = bytes[at]
    if (value === undefined) throw broken()
    at += 1
    return value
  }
  /** LEB128 up to 32 bits. */
  const number = (): number => {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const next = byte()
      value += (next & 0x7f) * 2 ** shift
      if (next < 0x80) return value
    }
    throw broken()
  }
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.byteLength) throw broken()
    at += length
    return bytes.subarray(at - length, at)
  }
  return { byte, number, take, broken, isAtEnd: () => at >= bytes.byteLength }
}

/**
 * The same module with an upper bound on its memory and its tables, so that growing beyond it fails inside the module. The engine
 * itself has no such limit. Refuses what would hold memory past these bounds: types that live on the engine's own heap.
 */
export function confine(bytes: Uint8Array, pagesMax: number): Uint8Array<ArrayBuffer> {
  const reader = createReader(bytes)
  if (!Buffer.from(reader.take(MAGIC.length)).equals(Buffer.from(MAGIC))) throw reader.broken()
  const made: Uint8Array[] = [Uint8Array.from(MAGIC)]
  while (!reader.isAtEnd()) {
    const id = reader.byte()
    const content = reader.take(reader.number())
    const changed = changeSection(id, content, pagesMax)
    made.push(Uint8Array.from([id, ...leb(changed.byteLength)]), changed)
  }
  return new Uint8Array(Buffer.concat(made))
}

function changeSection(id: number, content: Uint8Array, pagesMax: number): Uint8Array {
  if (id === SECTIONS.types) demandPlainTypes(createReader(content))
  if (id === SECTIONS.imports) demandOwnMemory(createReader(content))
  if (id === SECTIONS.memories) return boundMemories(createReader(content), pagesMax)
  if (id === SECTIONS.tables) return boundTables(createReader(content))
  return content
}

const VALUE_TYPES = new Set([0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f])

function demandPlainTypes(reader: Reader): void {
  const skipValues = () => {
    for (let left = reader.number(); left > 0; left -= 1)
      if (!VALUE_TYPES.has(reader.byte())) throw new ModuleProblem('The module uses types that Toolpass does not run.')
  }
  for (let left = reader.number(); left > 0; left -= 1) {
    if (reader.byte() !== FUNCTION_TYPE) throw new ModuleProblem('The module uses garbage-collected types, whose memory cannot be limited.')
    skipValues()
    skipValues()
  }
}

const FUNCTION_IMPORT = 0x00
const GLOBAL_IMPORT = 0x03

function demandOwnMemory(reader: Reader): void {
  for (let left = reader.number(); left > 0; left -= 1) {
    reader.take(reader.number())
    reader.take(reader.number())
    const kind = reader.byte()
    if (kind === FUNCTION_IMPORT) reader.number()
    else if (kind === GLOBAL_IMPORT) reader.take(2)
    else throw new ModuleProblem('The module wants a memory or a table from outside, which Toolpass does not give.')
  }
}

function boundMemories(reader: Reader, pagesMax: number): Uint8Array {
  const count = reader.number()
  if (count > 1) throw new ModuleProblem('The module has more than one memory.')
  const made: number[] = leb(count)
  for (let left = count; left > 0; left -= 1) {
    const flags = reader.byte()
    // Bits beyond the first say shared or 64-bit.
    if (flags > 1) throw new ModuleProblem('The module has a memory of a kind that Toolpass does not run.')
    const least = reader.number()
    const most = flags === 1 ? reader.number() : pagesMax
    if (least > pagesMax)
      throw new ModuleProblem(`The module wants ${megabytes(least)} MB to begin with, and may have ${megabytes(pagesMax)} MB.`)
    made.push(1, ...leb(least), ...leb(Math.min(most, pagesMax)))
  }
  return Uint8Array.from(made)
}

function boundTables(reader: Reader): Uint8Array {
  const count = reader.number()
  if (count > 100) throw new ModuleProblem('The module has too many tables.')
  const made: number[] = leb(count)
  for (let left = count; left > 0; left -= 1) {
    const type = reader.byte()
    const flags = reader.byte()
    if (!VALUE_TYPES.has(type) || flags > 1) throw new ModuleProblem('The module has a table of a kind that Toolpass does not run.')
    const least = reader.number()
    const most = flags === 1 ? reader.number() : TABLE_ENTRIES_MAX
    if (least > TABLE_ENTRIES_MAX) throw new ModuleProblem('The module has a table that is too large.')
    made.push(type, 1, ...leb(least), ...leb(Math.min(most, TABLE_ENTRIES_MAX)))
  }
  return Uint8Array.from(made)
}

const megabytes = (pages: number): number => Math.ceil((pages * MEMORY_PAGE_BYTES) / 1_048_576)

function leb(value: number): number[] {
  const bytes: number[] = []
  let left = value
  do {
    const low = left % 128
    left = Math.floor(left / 128)
    bytes.push(left > 0 ? low + 128 : low)
  } while (left > 0)
  return bytes
}
