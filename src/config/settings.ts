/** Every setting: its name, its meaning, its default. One zod object, so that help, parsing and documentation cannot drift. */
import { z } from 'zod'
import { LOG_LEVELS } from '../lib/log.ts'

const truth = z.union([
  z.boolean(),
  z.enum(['true', 'false', '1', '0', 'yes', 'no']).transform((word) => ['true', '1', 'yes'].includes(word)),
])
const list = z.union([z.array(z.string()), z.string().transform((text) => text.split(/[\s,]+/).filter(Boolean))])

const publicUrl = z.string().transform((text, ctx) => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const problem =
    !url || !['http:', 'https:'].includes(url.protocol)
      ? 'must be an http or https address'
      : url.username || url.password || url.search || url.hash
        ? 'must not carry a user name, a query or a fragment'
        : undefined
  if (!url || problem) {
    ctx.addIssue({ code: 'custom', message: problem ?? 'must be an address' })
    return z.NEVER
  }
  return url
})

export const Settings = z.strictObject({
  url: publicUrl.optional().describe('Public base address, for example https://tools.example.org'),
  host: z.string().min(1).default('127.0.0.1').describe('Address to listen on; 0.0.0.0 for all'),
  port: z.coerce.number().int().min(0).max(65535).default(8080).describe('Port to listen on'),
  dataDir: z.string().min(1).default('./data').describe('Folder for everything that is kept'),
  encryptionKey: z.string().optional().describe('32 bytes as base64 or hex; otherwise a file in the data folder'),
  trustedProxies: list.default([]).describe('Addresses or CIDRs whose X-Forwarded-* headers are believed'),
  allowedOrigins: list.default([]).describe('Web origins, beside ours and loopback, that may call the MCP endpoint'),
  insecureHttp: truth.default(false).describe('Allow plain http on addresses that are not loopback'),
  logLevel: z.enum(LOG_LEVELS).default('info').describe('debug, info, warn or error'),
  logFormat: z.enum(['pretty', 'json']).optional().describe('pretty on a terminal, else json'),
  adminUsername: z.string().optional().describe('First administrator, made at the first start only'),
  adminPassword: z.string().optional().describe('Password of the first administrator'),
  refreshGraceSeconds: z.coerce
    .number()
    .int()
    .min(0)
    .max(300)
    .default(30)
    .describe('How long a refresh token stays good after its first use; 0 is strict'),
  programIdleSeconds: z.coerce
    .number()
    .int()
    .min(1)
    .max(86_400)
    .default(600)
    .describe('After how long without use a program that runs here is stopped'),
})
export type Settings = z.infer<typeof Settings>
export type SettingName = keyof Settings

/** Names whose values never appear in a message. */
export const SECRET_SETTINGS = new Set<SettingName>(['encryptionKey', 'adminPassword'])

/** `dataDir` is `TOOLPASS_DATA_DIR` in the environment, `--data-dir` on the command line, `data_dir` in the file. */
const words = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
export const asVariable = (name: SettingName): string => `TOOLPASS_${words(name).toUpperCase()}`
export const asFlag = (name: SettingName): string => words(name).replaceAll('_', '-')
export const asFileKey = (name: SettingName): string => words(name)
export const SETTING_NAMES = Object.keys(Settings.shape) as SettingName[]
