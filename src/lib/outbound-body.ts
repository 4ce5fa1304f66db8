type BodyRules = {
  encoding: string
  bytesMax: number
  tooLarge(): Error
  describe(error: unknown): Error
  /** Called once, however the body ends. */
  end(): void
}

const UNPACKERS: Record<string, string> = { gzip: 'gzip', 'x-gzip': 'gzip', deflate: 'deflate', br: 'brotli', zstd: 'zstd' }

/**
 * A body that is counted while it passes, chunk by chunk as they come (a stream of events must not wait for the next one).
 * Packed bodies are counted twice, before and after unpacking: a megabyte of gzip can hold a gigabyte of zeros.
 */
export function boundedBody(source: ReadableStream<Uint8Array>, rules: BodyRules): ReadableStream<Uint8Array> {
  if (rules.encoding === 'identity') return counted(source, rules)
  const unpacker = UNPACKERS[rules.encoding]
  if (unpacker === undefined) {
    void source.cancel().catch(() => {})
    throw rules.describe(new Error(`unknown content-encoding ${rules.encoding.slice(0, 32)}`))
  }
  const onTheWire = counted(source, { ...rules, end: () => {} })
  const unpacked = onTheWire.pipeThrough(new DecompressionStream(unpacker as CompressionFormat) as unknown as ReadableWritablePair)
  return counted(unpacked, rules)
}

function counted(source: ReadableStream<Uint8Array>, { bytesMax, tooLarge, describe, end }: BodyRules): ReadableStream<Uint8Array> {
  const reader = source.getReader()
  let bytes = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (done) {
            end()
            return controller.close()
          }
          bytes += value.byteLength
          if (bytes > bytesMax) {
            void reader.cancel().catch(() => {})
            throw tooLarge()
          }
          controller.enqueue(value)
        } catch (error) {
          end()
          controller.error(describe(error))
        }
      },
      cancel(reason) {
        end()
        return reader.cancel(reason)
      },
    },
    // Nothing is read ahead of whoever reads us.
    { highWaterMark: 0 },
  )
}
