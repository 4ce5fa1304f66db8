/** Files that ship with the program (styles, scripts), under names that carry their hash, so that browsers keep them for good. */
import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { sha256 } from '@/lib/crypto.ts'
import { SECURITY_HEADERS } from './reply.ts'

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
}
const HASH_LENGTH = 10

export type Files = {
  /** The address of a file that was given by this name. */
  address(name: string): string
  /** The answer for `/assets/{file}`, undefined when there is none of that name. */
  answer(request: Request, file: string): Response | undefined
  /** The file under a name that stays: for what a browser comes back for by itself, and has to find as it is by then. */
  current(name: string): Response
}

/** @param paths name → path on disk or in the executable */
export function createFiles(paths: Record<string, string>): Files {
  const addresses = new Map<string, string>()
  const files = new Map<string, { plain: Buffer<ArrayBuffer>; zipped: Uint8Array<ArrayBuffer>; type: string; etag: string }>()
  for (const [name, path] of Object.entries(paths)) {
    const plain = readFileSync(path) as Buffer<ArrayBuffer>
    const hash = sha256(plain).slice(0, HASH_LENGTH)
    const extension = extname(name)
    const file = `${name.slice(0, -extension.length)}.${hash}${extension}`
    addresses.set(name, `/assets/${file}`)
    files.set(file, { plain, zipped: Bun.gzipSync(plain), type: TYPES[extension] ?? 'application/octet-stream', etag: `"${hash}"` })
  }
  return {
    address(name) {
      const address = addresses.get(name)
      if (!address) throw new Error(`no file ${name} ships with the program`)
      return address
    },
    current(name) {
      const file = files.get((addresses.get(name) ?? '').slice('/assets/'.length))
      if (!file) throw new Error(`no file ${name} ships with the program`)
      return new Response(file.plain, {
        headers: { ...SECURITY_HEADERS, 'content-type': file.type, 'cache-control': 'no-cache', etag: file.etag },
      })
    },
    answer(request, name) {
      const file = files.get(name)
      if (!file) return undefined
      const headers: Record<string, string> = {
        ...SECURITY_HEADERS,
        'content-type': file.type,
        'cache-control': 'public, max-age=31536000, immutable',
        etag: file.etag,
        vary: 'accept-encoding',
      }
      if (request.headers.get('if-none-match') === file.etag) return new Response(null, { status: 304, headers })
      const takesGzip = /\bgzip\b/.test(request.headers.get('accept-encoding') ?? '')
      return takesGzip
        ? new Response(file.zipped, { headers: { ...headers, 'content-encoding': 'gzip' } })
        : new Response(file.plain, { headers })
    },
  }
}
