/**
 * Toolpass calls itself at its public address, as an app would, and compares what comes back with what it would say. Only at
 * `TOOLPASS_URL`: an address taken from a request could be made to name another machine in our network.
 */
import type { Trace, TraceEntry } from '@/audit'
import type { Clock } from '@/lib/clock.ts'
import { randomSecret } from '@/lib/crypto.ts'
import type { Outbound } from '@/lib/outbound.ts'
import { isKnock } from './doctor-attempts.ts'

/** `wrong`: somebody answered, and not as we would. `silent`: nobody did, which from in here proves little. */
export type Verdict = 'ok' | 'wrong' | 'silent'
export type CheckRow = { what: string; url: string; answer: string; verdict: Verdict; why?: string }
export type CheckResult = { at: number; origin: string; rows: readonly CheckRow[] }

type Deps = {
  outbound: Pick<Outbound, 'fetch'>
  trace: Pick<Trace, 'since' | 'lastSeq'>
  config: { url?: URL | undefined }
  addresses: { readonly base: string }
  clock: Clock
}
type Ask = { what: string; url: string; judge(answer: Response, body: unknown): string | undefined }

const LIMITS = { privateAllowed: true, timeoutMs: 5_000, bodyBytesMax: 64 * 1024, redirectsMax: 0 }
const CLOCK_OFF_MS = 60_000
/** Whoever presses the button again and again gets the answer that is there. */
const AGAIN_AFTER_MS = 3_000
const CHECKS_REMEMBERED_MAX = 50

export function createSelfCheck({ outbound, trace, config, addresses: { base }, clock }: Deps) {
  let running: Promise<CheckResult> | undefined
  let last: CheckResult | undefined
  /** Where in the trace our own visits are. */
  const visits: { name: string; from: number; to: number }[] = []

  const run = async (origin: string): Promise<CheckResult> => {
    // A name that no profile has, so that our visit is told apart from an app's.
    const visit = {
      name: `check-${randomSecret()
        .replace(/[^a-z0-9]/g, '')
        .slice(0, 12)}`,
      from: trace.lastSeq(),
      to: Number.POSITIVE_INFINITY,
    }
    if (visits.push(visit) > CHECKS_REMEMBERED_MAX) visits.shift()
    try {
      return {
        at: clock(),
        origin: origin + base,
        rows: await Promise.all(asksOf(origin, base, visit.name).map((ask) => askOne(outbound, ask, clock))),
      }
    } finally {
      visit.to = trace.lastSeq()
    }
  }

  return {
    /** Undefined where there is no public address to check. */
    async run(): Promise<CheckResult | undefined> {
      if (!config.url) return undefined
      if (last && clock() - last.at < AGAIN_AFTER_MS) return last
      running ??= run(config.url.origin).finally(() => {
        running = undefined
      })
      last = await running
      return last
    },
    last: () => last,
    /** Whether the trace saw us and no app. */
    isOurs(entry: TraceEntry, all: readonly TraceEntry[]): boolean {
      if (visits.some(({ name }) => name === entry.profileName)) return true
      if (entry.clientId !== undefined || !(isKnock(entry) || entry.step.endsWith('-metadata'))) return false
      const visit = visits.find(({ from, to }) => entry.seq > from && entry.seq <= to)
      return visit !== undefined && all.some(({ profileName, address }) => profileName === visit.name && address === entry.address)
    },
  }
}
export type SelfCheck = ReturnType<typeof createSelfCheck>

function asksOf(origin: string, base: string, name: string): Ask[] {
  const issuer = origin + base
  const resource = `${issuer}/mcp/${name}`
  const metadata = `${origin}/.well-known/oauth-protected-resource${base}/mcp/${name}`
  return [
    {
      what: 'Who signs people in',
      url: `${origin}/.well-known/oauth-authorization-server${base}`,
      judge: (answer, body) =>
        notJson(answer, body) ??
        differs('issuer', field(body, 'issuer'), issuer) ??
        differs('authorization_endpoint', field(body, 'authorization_endpoint'), `${issuer}/oauth/authorize`),
    },
    {
      what: 'What the address is',
      url: metadata,
      judge: (answer, body) =>
        notJson(answer, body) ??
        differs('resource', field(body, 'resource'), resource) ??
        differs('authorization_servers', String(field(body, 'authorization_servers')), issuer),
    },
    {
      what: 'The way to the sign-in',
      url: resource,
      judge: (answer) => {
        if (answer.status !== 401)
          return 'Without a token the answer must be 401. Something else answers here, or a proxy signs people in by itself.'
        const challenge = answer.headers.get('www-authenticate')
        if (challenge === null) return 'The header WWW-Authenticate is missing. A proxy takes it away.'
        return challenge.includes(`resource_metadata="${metadata}"`) ? undefined : 'The header WWW-Authenticate names another address.'
      },
    },
  ]
}

const field = (body: unknown, name: string): unknown =>
  typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined

function notJson({ status, headers }: Response, body: unknown): string | undefined {
  if (status >= 300 && status < 400) return 'It sends on to another address. Apps do not follow.'
  if (status !== 200) return 'This is not Toolpass, or a proxy keeps /.well-known/ for itself.'
  if (!headers.get('content-type')?.includes('json') || body === undefined) return 'This is not Toolpass: the answer is no JSON.'
  return undefined
}

function differs(name: string, got: unknown, wanted: string): string | undefined {
  if (got === wanted) return undefined
  return typeof got === 'string' && got !== 'undefined'
    ? `${name} is ${got.slice(0, 120)} and must be ${wanted}, letter by letter. Another Toolpass answers, or TOOLPASS_URL differs from the address.`
    : `${name} is missing. This is not Toolpass.`
}

async function askOne(outbound: Deps['outbound'], { what, url, judge }: Ask, clock: Clock): Promise<CheckRow> {
  try {
    const answer = await outbound.fetch(url, { ...LIMITS, headers: { accept: 'application/json' } })
    const text = await answer.text()
    const type = answer.headers.get('content-type')?.split(';', 1)[0]
    const why = judge(answer, parsed(text)) ?? clockOff(answer, clock())
    return {
      what,
      url,
      answer: [answer.status, type].filter(Boolean).join(' '),
      ...(why === undefined ? { verdict: 'ok' } : { verdict: 'wrong', why }),
    }
  } catch (error) {
    // Only `OutboundError` comes out of there, with a sentence that may be shown.
    return { what, url, answer: 'no answer', verdict: 'silent', why: (error as Error).message }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A proxy that answers has a clock of its own: where the two differ, one of them is wrong. */
function clockOff(answer: Response, now: number): string | undefined {
  const then = Date.parse(answer.headers.get('date') ?? '')
  const offMs = Math.abs(then - now)
  return offMs > CLOCK_OFF_MS ? `The clock in front of Toolpass and its own differ by ${Math.round(offMs / 1000)} seconds.` : undefined
}
