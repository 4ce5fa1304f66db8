/** Secrets of well-known services, by the rules of secretlint. Loaded when the first text comes that may hold one. */
import { mark } from './patterns.ts'

/**
 * Whether a text may hold what one of the rules finds. The rules take a tenth of a millisecond for a kilobyte, so they run over what has
 * one of their signs and over nothing else; a test shows for each rule that this lets it see what it is for.
 */
export const LINTED =
  /A3T[A-Z0-9]|A(?:KI|GP|ID|RO|IP|NP|NV|SI)A|[sS](?:ECRET|ecret)_?(?:ACCESS|[aA]ccess)|(?:ACCOUNT|[aA]ccount)_?(?:ID|[iI]d)?\\*["']?\s*[:=]|x-oauth-basic|_authToken|npm_|xox[a-z]-|xapp-|hooks\.slack\.com|:\/\/[\w-]{1,256}:|sk-(?:proj|svcacct|admin|ant-|\w{20})|gsk_|hf_[a-zA-Z]{8}|lin_api_|ntn_|PRIVATE KEY|SG\.\w|shp(?:pa|ca|at|ss)_|[sr]k_(?:live|test)_|gh[opusr]_|github_pat_|glpat-|glc_|glsa_|ops_ey|[mM][oO][nN][gG][oO][dD][bB]|[mM][yY][sS][qQ][lL]|[pP][oO][sS][tT][gG][rR][eE][sS]|hv[sbr]\.|vc[piark]_|dapi[a-fA-F0-9]|dckr_pat_|figd_|cf(?:k|ut|at)_|tskey-/

const KINDS: Readonly<Record<string, string>> = {
  ...{ aws: 'AWS key', gcp: 'Google Cloud key', npm: 'npm token', slack: 'Slack token', basicauth: 'password', openai: 'OpenAI key' },
  ...{ anthropic: 'Anthropic key', groq: 'Groq key', huggingface: 'Hugging Face token', linear: 'Linear key', notion: 'Notion token' },
  ...{ privatekey: 'private key', sendgrid: 'SendGrid key', shopify: 'Shopify key', stripe: 'Stripe key', github: 'GitHub token' },
  ...{ gitlab: 'GitLab token', grafana: 'Grafana token', '1password': '1Password token', vercel: 'Vercel token' },
  ...{ 'database-connection-string': 'database password', 'hashicorp-vault': 'Vault token', databricks: 'Databricks token' },
  ...{ docker: 'Docker token', figma: 'Figma token', cloudflare: 'Cloudflare token', tailscale: 'Tailscale key' },
}
const kindOf = (ruleId: string): string => KINDS[ruleId.replace(/^.*secretlint-rule-/, '')] ?? 'secret'

export type Found = { text: string; mark: string }
type Lint = (content: string) => Promise<readonly Found[]>

let loaded: Promise<Lint> | undefined

async function load(): Promise<Lint> {
  const [{ lintSource }, { creator }] = await Promise.all([
    import('@secretlint/core'),
    import('@secretlint/secretlint-rule-preset-recommend'),
  ])
  const config = { rules: [{ id: '@secretlint/secretlint-rule-preset-recommend', rule: creator }] }
  return async (content) => {
    const source = { content, filePath: '', ext: '.txt', contentType: 'text' as const }
    const { messages } = await lintSource({ source, options: { config, noPhysicFilePath: true } })
    // Once each, however often it stands there.
    const found = new Map(messages.map(({ ruleId, range: [from, to] }) => [content.slice(from, to), mark(kindOf(ruleId))]))
    found.delete('')
    return [...found].map(([text, mark]) => ({ text, mark })).toSorted((a, b) => b.text.length - a.text.length)
  }
}

/** Its own way to be switched off, by a remark in the text, is for those who write files, not for those who send us some. */
const SWITCHES = /secretlint-(?=disable|enable)/g

/** So long at a time; then whoever else waits for this thread has a turn. */
const TURN_MS = 4
let turnBegan = 0
async function breathe(): Promise<void> {
  if (performance.now() - turnBegan < TURN_MS) return
  await new Promise(setImmediate)
  turnBegan = performance.now()
}

let last: Promise<unknown> = Promise.resolve()

/** Past those that wait for their turn: for who holds a transaction meanwhile. */
export async function lintAtOnce(content: string): Promise<readonly Found[]> {
  loaded ??= load()
  return (await loaded)(content.replace(SWITCHES, 'secretlint '))
}

/** The longest first. One text after the other. */
export function lint(content: string): Promise<readonly Found[]> {
  const mine = last.then(breathe).then(() => lintAtOnce(content))
  last = mine.catch(() => undefined)
  return mine
}
