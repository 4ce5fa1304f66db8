import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigProblem } from './problem.ts'

const KEY_BYTES = 32

/**
 * The root key: from the setting, else from the 0600 file in the data folder, made at the first start.
 * The database never holds it, so a copied database opens nothing.
 */
export function rootKey(setting: string | undefined, dataDir: string): Buffer {
  if (setting !== undefined) return decode(setting, 'TOOLPASS_ENCRYPTION_KEY')
  const file = join(dataDir, 'encryption.key')
  if (existsSync(file)) return decode(readFileSync(file, 'utf8'), file)
  if (existsSync(join(dataDir, 'toolpass.db')))
    throw new ConfigProblem(
      `${file} is missing, but the database needs it. Put it back, or set TOOLPASS_ENCRYPTION_KEY; nothing was changed.`,
    )
  const key = Buffer.from(crypto.getRandomValues(new Uint8Array(KEY_BYTES)))
  writeFileSync(file, `${key.toString('base64')}\n`, { mode: 0o600, flag: 'wx' })
  return key
}

function decode(text: string, from: string): Buffer {
  const trimmed = text.trim()
  const key = /^[0-9a-f]{64}$/i.test(trimmed) ? Buffer.from(trimmed, 'hex') : Buffer.from(trimmed, 'base64')
  if (key.length !== KEY_BYTES)
    throw new ConfigProblem(`${from} must hold ${KEY_BYTES} bytes as base64 or hex. "openssl rand -base64 32" makes one.`)
  return key
}
