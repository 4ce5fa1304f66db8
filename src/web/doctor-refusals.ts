/** Each no that a client can hear from us, with its cure. Keyed by what the trace says, which is codes and sentences of our own. */
import type { TraceEntry } from '@/audit'
import type { Advice, Case } from './doctor-case.ts'

type Cure = (name: string, entry: TraceEntry, seen: Case) => Advice

/** Undefined when the last thing that happened was no refusal. */
export function refusalOf(seen: Case): Advice | undefined {
  const latest = seen.entries.at(-1)
  const last = latest?.outcome === 'refused' ? latest : seen.current?.last
  if (last?.outcome !== 'refused' || (seen.current?.key === 'found' && last.reason === 'no_token')) return undefined
  const { name } = seen.facts
  const said = saidBy(last)
  const found = CURES.find(([steps, pattern]) => steps.includes(last.step) && pattern.test(said))
  return found ? found[2](name, last, seen) : { problem: `${name} was refused: ${plainly(last)}.`, fix: 'Start it again in the app.' }
}

const saidBy = ({ reason = '', detail = {} }: TraceEntry) => [reason, ...Object.values(detail)].join(' ')
/** A code as words, a sentence as it is. */
export const plainly = ({ reason, detail }: Pick<TraceEntry, 'reason' | 'detail'>): string =>
  (WORDS[reason ?? ''] ?? detail?.['says'] ?? reason?.replaceAll('_', ' ') ?? 'no reason is known').replace(/\.$/, '')

const WORDS: Record<string, string> = {
  no_token: 'it came without a token',
  no_bearer: 'its Authorization header is no bearer token',
  unknown_token: 'we do not know its token',
  foreign_token: 'its token is none of ours',
  expired: 'its token has expired',
  token_revoked: 'its token was replaced or given back',
  revoked: 'it was revoked',
  grant_expired: 'it was let in until a time that has passed',
  client_blocked: 'an administrator has blocked this app',
  user_disabled: 'its user is disabled',
  refresh_token_as_bearer: 'it sent its refresh token in place of the access token',
  wrong_resource: 'its token is for another address',
  wrong_address: 'its token is for another host',
  insufficient_scope: 'its token reaches no tool',
  paused: 'you paused it',
  foreign_origin: 'a web page from elsewhere asked',
  wrong_host: 'the host name is not ours',
  plain_http: 'plain http is not accepted on this address',
  client_waits: 'an administrator has to approve this app first',
  client_not_listed: 'only apps that an administrator listed are let in',
  wrong_login: 'the user name or password was wrong',
  slow_down: 'too many attempts',
  access_denied: 'you denied it',
}

const APPS = { href: '/apps', label: 'Connected apps' }
const anew = (name: string) => `In ${name}, sign out of this server (or remove and add it again), then sign in.`

export const waitsForApproval = (name: string): Advice => ({
  problem: `${name} waits: an administrator has to approve new apps here.`,
  fix: 'An administrator approves it under Registered apps. Then start it again.',
  link: { href: '/admin/clients', label: 'Registered apps' },
})

type Row = readonly [steps: readonly TraceEntry['step'][], pattern: RegExp, cure: Cure]
const REQUEST: Row[0] = ['request']
const ASKING: Row[0] = ['authorize', 'push', 'device', 'document', 'register']
const TOKEN: Row[0] = ['token', 'refresh']
const EVERYWHERE: Row[0] = [...ASKING, ...TOKEN, 'request', 'sign-in', 'consent']

/** The first row that fits counts. */
const CURES: readonly Row[] = [
  [
    REQUEST,
    /^wrong_host/,
    (name, { detail }, { facts }) => ({
      problem: `${name} asked for ${detail?.['host'] ?? 'another host name'}, and Toolpass answers as ${facts.origin} only.`,
      fix: 'Set TOOLPASS_URL to the address that apps use, with https:// in front, and let the proxy pass the Host header on. Then restart.',
    }),
  ],
  [
    REQUEST,
    /^plain_http/,
    (name, { detail }) => ({
      problem: `${name} came to ${detail?.['host'] ?? 'this computer'} over plain http, which would send passwords in clear.`,
      fix: 'Put https in front and set TOOLPASS_URL to the https address. In a network that you trust, TOOLPASS_INSECURE_HTTP=true allows it.',
    }),
  ],
  [
    REQUEST,
    /^no_bearer/,
    (name) => ({
      problem: `${name} sent an Authorization header that is no bearer token.`,
      fix: 'Was it typed into its settings? Take it out there and let the app sign in, or write the word Bearer and an access token.',
      link: { href: '/apps/tokens', label: 'Make an access token' },
    }),
  ],
  [
    REQUEST,
    /^no_token/,
    (name) => ({
      problem: `${name} got its token and then came without it.`,
      fix: 'A proxy in between may drop the Authorization header: let it through. Otherwise restart the app.',
    }),
  ],
  [
    REQUEST,
    /^wrong_resource/,
    (name, { detail, profileName }) => ({
      problem: `${name} has a token for ${detail?.['made for'] ?? 'another address'} and came to ${profileName ? `/mcp/${profileName}` : '/mcp'}. Each address has a sign-in of its own.`,
      fix: `${anew(name)} Or give it the address that it signed in for.`,
    }),
  ],
  [
    REQUEST,
    /^wrong_address/,
    (name, { detail, origin }) => ({
      problem: `${name} signed in at ${detail?.['made for'] ?? 'another host'} and now comes to ${origin ?? 'another one'}.`,
      fix: `Use one address everywhere: set TOOLPASS_URL to it. Then: ${anew(name)}`,
    }),
  ],
  [
    REQUEST,
    /^paused/,
    (name) => ({ problem: `You paused ${name}. Its token is good, and does nothing until you resume it.`, fix: 'Resume it.', link: APPS }),
  ],
  [
    REQUEST,
    /^(revoked|grant_expired|token_revoked)/,
    (name, entry) => ({ problem: `${name} is no longer let in: ${plainly(entry)}.`, fix: `To let it in again: ${anew(name)}`, link: APPS }),
  ],
  [
    REQUEST,
    /^expired/,
    (name) => ({
      problem: `The token of ${name} has expired, and it did not renew it.`,
      fix: `Apps renew it by themselves; this one did not. ${anew(name)}`,
    }),
  ],
  [
    REQUEST,
    /^(unknown_token|foreign_token|refresh_token_as_bearer)/,
    (name, entry) => ({
      problem: `${name} sent a token that is not good here: ${plainly(entry)}.`,
      fix: `It is left over from an earlier installation or belongs to another server. ${anew(name)}`,
    }),
  ],
  [
    REQUEST,
    /^insufficient_scope/,
    (name) => ({ problem: `${name} asked for a token that reaches no tool.`, fix: `It has to ask for the scope mcp. ${anew(name)}` }),
  ],
  [
    REQUEST,
    /^foreign_origin/,
    (name, { detail }) => ({
      problem: `A web page at ${detail?.['page'] ?? 'another address'} asked, and pages from elsewhere are refused.`,
      fix: `If that page is ${name}: add its address to TOOLPASS_ALLOWED_ORIGINS and restart.`,
    }),
  ],
  [EVERYWHERE, /client_waits|waits for approval|approve/, waitsForApproval],
  [
    EVERYWHERE,
    /not.listed|administrator listed/,
    (name) => ({
      problem: `${name} is not on the list of apps that are let in here.`,
      fix: 'Ask an administrator to add it under Registered apps.',
      link: { href: '/admin/clients', label: 'Registered apps' },
    }),
  ],
  [
    EVERYWHERE,
    /blocked/,
    (name) => ({ problem: `An administrator has blocked ${name}.`, fix: 'Only an administrator can lift it, under Registered apps.' }),
  ],
  [
    ['authorize', 'push'],
    /redirect/,
    (name) => ({
      problem: `${name} wants you sent back to an address that it did not register.`,
      fix: `It keeps a registration from another version or another set-up. ${anew(name)} If an administrator registered it: the redirect address must match letter by letter.`,
    }),
  ],
  [
    ASKING,
    /challenge|pkce/i,
    (name) => ({
      problem: `${name} does not protect its sign-in with PKCE (S256), which is required.`,
      fix: 'Update the app. Older versions cannot connect this way; an access token works.',
      link: { href: '/apps/tokens', label: 'Make an access token' },
    }),
  ],
  [
    ['authorize', 'push', 'device', ...TOKEN],
    /invalid_target|resource/,
    (name, _, { facts }) => ({
      problem: `${name} asked for an address that is not served here.`,
      fix: `Paste the address exactly as it is shown above, without a slash at the end. It must begin with ${facts.origin}; if it does not, set TOOLPASS_URL.`,
    }),
  ],
  [
    ['document'],
    /./,
    (name, entry) => ({
      problem: `The app's description of itself could not be used: ${plainly(entry)}.`,
      fix: `Toolpass fetches it from the app's own site, so it needs a way to the internet there. If it has one, the fault is with the maker of ${name}: look for an update.`,
    }),
  ],
  [
    ['register'],
    /slow_down|too many|429/i,
    () => ({ problem: 'Too many apps registered from this address within an hour.', fix: 'Wait a little, then start it again.' }),
  ],
  [
    ['register'],
    /./,
    (name, entry) => ({
      problem: `${name} could not be registered: ${plainly(entry)}.`,
      fix: 'Update the app. If that does not help, an administrator can register it by hand.',
      link: { href: '/admin/clients', label: 'Registered apps' },
    }),
  ],
  [
    ASKING,
    /invalid_client|unknown client/,
    (name) => ({
      problem: `We do not know the registration of ${name} (any more).`,
      fix: `It was removed, or expired unused. ${anew(name)}`,
    }),
  ],
  [
    ASKING,
    /request_uri/,
    (name) => ({ problem: `The request that ${name} had handed in was used already or is too old.`, fix: 'Start it again in the app.' }),
  ],
  [
    ASKING,
    /login_required|consent_required/,
    (name) => ({
      problem: `${name} asked to be let in without you being asked, which is never done here.`,
      fix: 'Start the sign-in in the app by hand.',
    }),
  ],
  [
    ['sign-in'],
    /./,
    (_, entry) => ({
      problem: `Signing in failed: ${plainly(entry)}.`,
      fix: 'Try again on that page. An administrator can give you a new password.',
    }),
  ],
  [['consent'], /./, (name) => ({ problem: `You denied ${name}.`, fix: 'If that was a mistake, start it again in the app.' })],
  [
    TOKEN,
    /\b(iat|nbf|exp|clock)\b|in the future|assertion.*(expired|old)/i,
    (name) => ({
      problem: `The clocks of ${name} and of this computer differ.`,
      fix: 'Let this computer set its clock by the network (NTP). Signed sign-ins are good for minutes only.',
    }),
  ],
  [
    TOKEN,
    /invalid_client/,
    (name) => ({
      problem: `${name} did not prove who it is: its secret or key is wrong.`,
      fix: `Enter the secret anew where the app asks for it. ${anew(name)}`,
    }),
  ],
  [['refresh'], /./, (name) => ({ problem: `${name} could not renew its token: its sign-in has ended.`, fix: anew(name), link: APPS })],
  [['token'], /expired_token/, () => ({ problem: 'The code of the device was not typed in time.', fix: 'Start again on the device.' })],
  [
    ['token'],
    /invalid_grant/,
    (name) => ({
      problem: `${name} came with a code that is no longer good: used before, more than a minute old, or started by another try.`,
      fix: 'Close other sign-in pages of it and start it again. If it happens each time, see that only one copy of the app runs.',
    }),
  ],
]
