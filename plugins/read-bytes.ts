/** The first `bytesMax` bytes of a body; `isCut` when there are more, which are not waited for. */
export async function readBytes(response: Response, bytesMax: number): Promise<{ bytes: Uint8Array<ArrayBuffer>; isCut: boolean }> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    const room = bytesMax - length
    chunks.push(chunk.byteLength > room ? chunk.subarray(0, room) : chunk)
    length += chunk.byteLength
    if (length > bytesMax) return { bytes: new Uint8Array(Buffer.concat(chunks)), isCut: true }
  }
  return { bytes: new Uint8Array(Buffer.concat(chunks)), isCut: false }
}
