import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate authority of our own with certificates for the given names, as PEM. Negative `days`: run out already. */
export function makeCertificates<Name extends string>(
  names: readonly Name[],
  { days = 2 }: { days?: number } = {},
): { ca: string; of: Record<Name, { cert: string; key: string }> } {
  const dir = mkdtempSync(join(tmpdir(), 'certificates-'))
  const openssl = (...args: string[]) => {
    const { status, stderr } = spawnSync('openssl', args, { cwd: dir })
    if (status !== 0) throw new Error(String(stderr))
  }
  const read = (file: string) => readFileSync(join(dir, file), 'utf8')
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...ec, '-days', '2', '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Test CA')
  const of = {} as Record<Name, { cert: string; key: string }>
  for (const name of names) {
    const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${isIP(name) === 0 ? 'DNS' : 'IP'}:${name}`]
    openssl('req', ...ec, '-keyout', `${name}.key`, '-out', `${name}.csr`, ...subject)
    const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-copy_extensions', 'copy', '-days', String(days)]
    openssl('x509', '-req', '-in', `${name}.csr`, ...signed, '-out', `${name}.pem`)
    of[name] = { cert: read(`${name}.pem`), key: read(`${name}.key`) }
  }
  const ca = read('ca.pem')
  rmSync(dir, { recursive: true })
  return { ca, of }
}

/** Polls until the condition holds; false when it did not in time. */
export async function eventually(condition: () => boolean | Promise<boolean>, withinMs = 3_000): Promise<boolean> {
  const untilMs = performance.now() + withinMs
  while (performance.now() < untilMs) {
    if (await condition()) return true
    await Bun.sleep(10)
  }
  return condition()
}

/** Counts how often anything else has its turn: from here until `end`. */
export function countTurns(): { end: () => number } {
  let turns = 0
  let isOver = false
  const next = () => {
    if (isOver) return
    turns += 1
    setImmediate(next)
  }
  setImmediate(next)
  return {
    end: () => {
      isOver = true
      return turns
    },
  }
}
