import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** AssemblyScript, which is not TypeScript: hence text, compiled by its own compiler. */
const SOURCE = `
import { Config, Host, LogLevel, Memory, Var } from '@extism/as-pdk'

// @ts-ignore
@external('extism:host/env', 'http_request')
declare function http_request(request: u64, body: u64): u64
// @ts-ignore
@external('extism:host/env', 'http_status_code')
declare function http_status_code(): i32
// @ts-ignore
@external('extism:host/env', 'length')
declare function block_length(address: u64): u64
// @ts-ignore
@external('extism:host/env', 'error_set')
declare function error_set(address: u64): void

// @ts-ignore
@external('wasi_snapshot_preview1', 'fd_write')
declare function fd_write(descriptor: i32, vectors: usize, count: i32, written: usize): i32
// @ts-ignore
@external('wasi_snapshot_preview1', 'clock_time_get')
declare function clock_time_get(clock: i32, precision: i64, at: usize): i32
// @ts-ignore
@external('wasi_snapshot_preview1', 'path_open')
declare function path_open(d: i32, f: i32, path: usize, length: i32, o: i32, r: i64, i: i64, g: i32, at: usize): i32

function onAbort(message: string | null, file: string | null, line: u32, column: u32): void { unreachable() }

let counter: i32 = 0

/** Of the library's own, only this way of answering counts bytes and not characters. */
function output(value: string): void { Host.output(Uint8Array.wrap(String.UTF8.encode(value))) }

function argument(input: string, name: string): string {
  const mark = '"' + name + '":"'
  const from = input.indexOf(mark)
  if (from < 0) return ''
  const start = from + mark.length
  return input.substring(start, input.indexOf('"', start))
}
function isTool(input: string, name: string): bool { return input.indexOf('"name":"' + name + '"') == 1 }
function text(value: string): i32 {
  output('{"content":[{"type":"text","text":"' + value + '"}]}')
  return 0
}
function tool(name: string): string { return '{"name":"' + name + '","inputSchema":{"type":"object"}}' }

export function describe(): i32 {
  const names = ['echo', 'fetch', 'spin', 'forever', 'eat', 'blocks', 'throw', 'config', 'count', 'log', 'large', 'wasi', 'nonsense']
  let all = ''
  for (let at = 0; at < names.length; at++) all += (at > 0 ? ',' : '') + tool(names[at])
  output('{"instructions":"For tests.","tools":[' + all + ']}')
  return 0
}

export function call(): i32 {
  const input = Host.inputString()
  if (isTool(input, 'echo')) return text(argument(input, 'message'))
  if (isTool(input, 'config')) {
    const value = Config.get(argument(input, 'key'))
    return text(value === null ? '(nothing)' : value)
  }
  if (isTool(input, 'count')) {
    counter++
    const kept = Var.getString('kept')
    Var.set('kept', Uint8Array.wrap(String.UTF8.encode('kept')))
    return text(counter.toString() + (kept === null ? '' : ' ' + kept))
  }
  if (isTool(input, 'fetch')) {
    const times = argument(input, 'times') == 'many' ? 200 : 0
    for (let at = 0; at < times; at++)
      http_request(Memory.allocateString('{"url":"' + argument(input, 'url') + '"}').offset, 0)
    const request = Memory.allocateString('{"url":"' + argument(input, 'url') + '","method":"POST","headers":{"x-of-the-module":"yes"}}')
    const body = Memory.allocateString('from the module')
    const answer = http_request(request.offset, body.offset)
    const got = new Memory(answer, answer == 0 ? 0 : block_length(answer))
    return text(http_status_code().toString() + ' ' + got.toString())
  }
  if (isTool(input, 'spin') || isTool(input, 'forever')) {
    let turns: u64 = 1
    while (turns != 0) turns += 2
    return text(turns.toString())
  }
  if (isTool(input, 'eat')) {
    while (memory.grow(16) >= 0) {}
    return text((memory.size() / 16).toString())
  }
  if (isTool(input, 'blocks')) {
    while (true) Memory.allocate(1 << 20)
  }
  if (isTool(input, 'throw')) {
    error_set(Memory.allocateString('not with me').offset)
    return 1
  }
  if (isTool(input, 'log')) {
    for (let at = 0; at < 1000; at++) Host.log(LogLevel.Info, 'line ' + at.toString())
    return text('logged')
  }
  if (isTool(input, 'wasi')) {
    const line = String.UTF8.encode('by WASI')
    const at = heap.alloc(32)
    store<u32>(at, changetype<usize>(line) as u32)
    store<u32>(at + 4, line.byteLength as u32)
    const wrote = fd_write(1, at, 1, at + 8)
    const opened = path_open(3, 0, changetype<usize>(line), line.byteLength, 0, -1, -1, 0, at + 8)
    clock_time_get(0, 0, at + 16)
    return text(wrote.toString() + ' ' + opened.toString() + ' ' + (load<u64>(at + 16) / 1000000000).toString())
  }
  if (isTool(input, 'large')) return text('x'.repeat(9 << 20))
  output('nonsense')
  return 0
}
`

/** Compiles the module with the tools that the tests need. */
export function buildModule(): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'toolpass-wasm-'))
  const root = resolve(import.meta.dir, '../..')
  try {
    writeFileSync(join(folder, 'module.ts'), SOURCE)
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    const compiler = join(root, 'node_modules/assemblyscript/bin/asc.js')
    const args = ['module.ts', '--outFile', 'module.wasm', '--use', 'abort=module/onAbort', '--path', 'node_modules']
    const { exitCode, stderr } = Bun.spawnSync([process.execPath, compiler, ...args], { cwd: folder })
    if (exitCode !== 0) throw new Error(stderr.toString())
    return readFileSync(join(folder, 'module.wasm'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
