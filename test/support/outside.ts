import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate authority of our own with certificates for the given names, as PEM. */
export function makeCertificates<Name extends string>(
  names: readonly Name[],
): { ca: string; of: Record<Name, { cert: string; key: string }> } {
  const dir = mkdtempSync(join(tmpdir(), 'certificates-'))
  const openssl = (...args: string[]) => {
    const { status, stderr } = spawnSync('openssl', args, { cwd: dir })
    if (status !== 0) throw new Error(String(stderr))
  }
  const read = (file: string) => readFileSync(join(dir, file), 'utf8')
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  openssl('req', '-x509', ...ec, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Test CA')
  const of = {} as Record<Name, { cert: string; key: string }>
  for (const name of names) {
    const extension = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`]
    openssl('req', '-x509', ...ec, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-keyout', `${name}.key`, '-out', `${name}.pem`, ...extension)
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
