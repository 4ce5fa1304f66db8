import { malformed } from './head.ts'

/** Of all chunk extensions of an answer together, and of its trailers: nobody needs them, and they cost bytes without a body. */
const EXTENSION_BYTES_MAX = 4 * 1024
const TRAILER_BYTES_MAX = 8 * 1024
/** 2^40 bytes in a chunk. */
const SIZE_DIGITS_MAX = 10
const TAB = 9
const LF = 10
const CR = 13
const SPACE = 32
const SEMICOLON = 59

/** Where in the chunked coding (RFC 9112 §7.1) the next byte is. */
type Place = 'size' | 'extension' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'trailers' | 'trailer' | 'trailer-lf' | 'end-lf' | 'end'

/** Takes the chunked coding off, however it is cut. Throws `AnswerError` for what is no such coding. */
export function createChunkReader() {
  let place: Place = 'size'
  let remaining = 0
  let digits = 0
  let extensionBytes = 0
  let trailerBytes = 0

  function readSize(byte: number): Place {
    const digit = hexDigit(byte)
    if (digit >= 0) {
      digits += 1
      demand(digits <= SIZE_DIGITS_MAX)
      remaining = remaining * 16 + digit
      return 'size'
    }
    demand(digits > 0)
    if (byte === CR) return 'size-lf'
    demand(byte === SEMICOLON || byte === SPACE || byte === TAB)
    return 'extension'
  }

  function readExtension(byte: number): Place {
    if (byte === CR) return 'size-lf'
    extensionBytes += 1
    demand(isText(byte) && extensionBytes <= EXTENSION_BYTES_MAX)
    return 'extension'
  }

  function afterSize(): Place {
    digits = 0
    return remaining === 0 ? 'trailers' : 'data'
  }

  function readTrailers(byte: number): Place {
    trailerBytes += 1
    demand(trailerBytes <= TRAILER_BYTES_MAX)
    if (place === 'trailers' && byte === CR) return 'end-lf'
    if (place === 'trailer' && byte === CR) return 'trailer-lf'
    // A blank at the start of a line would continue the one before.
    demand(isText(byte) && (place === 'trailer' || byte > SPACE))
    return 'trailer'
  }

  function next(byte: number): Place {
    if (place === 'size') return readSize(byte)
    if (place === 'extension') return readExtension(byte)
    if (place === 'trailers' || place === 'trailer') return readTrailers(byte)
    demand(byte === (place === 'data-cr' ? CR : LF))
    if (place === 'size-lf') return afterSize()
    return place === 'data-cr' ? 'data-lf' : place === 'data-lf' ? 'size' : place === 'trailer-lf' ? 'trailers' : 'end'
  }

  return {
    begin: (): void => {
      place = 'size'
      remaining = digits = extensionBytes = trailerBytes = 0
    },
    isAtEnd: (): boolean => place === 'end',
    /** Of the chunk that is being read: at least so many bytes of body are still to come. */
    announced: (): number => remaining,
    /**
     * Moves all data that is in `bytes` together, in place, to `from`, so that a thousand tiny chunks cost no more than a large
     * one. Returns how much data that is and where reading ended, which is before the last byte only at the end of the body.
     */
    read: (bytes: Buffer<ArrayBuffer>, from: number): { filled: number; at: number } => {
      let at = from
      let filled = 0
      while (at < bytes.length && place !== 'end') {
        if (place !== 'data') {
          place = next(bytes[at] as number)
          at += 1
          continue
        }
        const to = Math.min(bytes.length, at + remaining)
        bytes.copyWithin(from + filled, at, to)
        filled += to - at
        remaining -= to - at
        at = to
        if (remaining === 0) place = 'data-cr'
      }
      return { filled, at }
    },
  }
}

function demand(isSo: boolean): void {
  if (!isSo) throw malformed('the chunks of the body are no chunks')
}
const isText = (byte: number): boolean => (byte >= SPACE && byte !== 127) || byte === TAB
function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48
  const lower = byte | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}
