/** What is wrong with a client's way and how to fix it, in plain words, the most likely first. Pure: entries and facts in, sentences out. */
import type { TraceEntry } from '@/audit'
import { isLoopbackName } from '@/lib/url.ts'
import { isKnock, stagesOf } from './doctor-attempts.ts'
import type { Advice, Case, Facts } from './doctor-case.ts'
import { refusalOf, waitsForApproval } from './doctor-refusals.ts'

/** What happened outranks what might have, and that outranks the guesses about a silence. */
export function diagnose(entries: readonly TraceEntry[], facts: Facts): Advice[] {
  if (facts.state === 'connected') return []
  const stages = stagesOf({ entries: [...entries] })
  const seen: Case = { entries, stages, current: stages.findLast((stage) => stage.entries.length > 0), facts }
  const found = [refusalOf(seen), ...SURROUNDINGS.map((rule) => rule(seen)), facts.state === 'stopped' ? silenceOf(seen) : turnOf(seen)]
  return found.filter((advice): advice is Advice => advice !== undefined)
}

const CHECK = { href: '#check', label: 'Check our own address' }
type Rule = (seen: Case) => Advice | undefined

/** What the address itself makes impossible. */
const SURROUNDINGS: readonly Rule[] = [
  ({ facts: { reaches, reach, name, origin } }) =>
    reaches === 'internet' && reach !== 'internet'
      ? {
          problem: origin.startsWith('http:')
            ? `${name} connects from the internet and over https only, and ${origin} is neither for it.`
            : `${name} connects from the internet, and ${origin} is an address that only your own network knows.`,
          fix: 'Put Toolpass behind a public https address (a reverse proxy or a tunnel), set TOOLPASS_URL to it, and paste that address.',
        }
      : undefined,
  ({ entries, facts }) => {
    // The metadata carries our own addresses: read over http, they are http, whatever the client had typed.
    const plain = [...entries.map(({ origin }) => origin), facts.origin].find(isPlainHttp)
    return plain && facts.reaches !== 'internet'
      ? {
          problem: `${facts.name} is told to come to ${plain}. Most apps sign in over https only, except on the same computer.`,
          fix: 'Put https in front (a reverse proxy) and set TOOLPASS_URL to the https address. If there is https in front already, TOOLPASS_URL is missing or wrong.',
          link: CHECK,
        }
      : undefined
  },
  ({ entries, facts }) => {
    const other = entries.find(({ origin }) => origin !== undefined && origin !== facts.origin)?.origin
    return other
      ? {
          problem: `${facts.name} came to ${other}, and you are here at ${facts.origin}. To an app these are two servers with a sign-in each.`,
          fix: 'Paste the address as this page shows it. If it is the wrong one, set TOOLPASS_URL to the right one.',
        }
      : undefined
  },
  ({ facts }) =>
    facts.selfCheck === 'failed'
      ? {
          problem: 'Toolpass did not find itself at its own address.',
          fix: 'See the rows of the check on this page: an app gets the same answers.',
          link: { href: '#check', label: 'See the check' },
        }
      : undefined,
  ({ facts }) =>
    facts.hasUnknownProxy
      ? {
          problem: 'There is a proxy in front of Toolpass that it was not told of, so that everybody seems to come from one address.',
          fix: 'Set TOOLPASS_TRUSTED_PROXIES to the address of the proxy.',
        }
      : undefined,
]

const isPlainHttp = (origin: string | undefined): boolean => {
  const url = origin === undefined ? null : URL.parse(origin)
  return url?.protocol === 'http:' && !isLoopbackName(url.hostname)
}

/** Nothing is wrong yet: whose turn it is. */
function turnOf({ current, facts: { name } }: Case): Advice | undefined {
  const last = current?.last
  if (current?.key !== 'asked' || !last || last.outcome === 'refused') return undefined
  if (last.reason === 'client_waits') return waitsForApproval(name)
  if (last.step === 'sign-in' && last.outcome === 'waiting')
    return {
      problem: 'It is your turn: a sign-in page is open in a browser.',
      fix: 'Sign in there. The page that asks you comes right after.',
    }
  if (last.step === 'device')
    return { problem: 'It is your turn: the device shows a code.', fix: 'Type it here.', link: { href: '/device', label: 'Type the code' } }
  if (last.step === 'push') return undefined
  return { problem: 'It is your turn: the page that asks you is open in a browser.', fix: 'Allow or deny it there.' }
}

/** It went so far and no further, and nobody said no. */
function silenceOf({ current, stages, entries, facts: { name } }: Case): Advice | undefined {
  const last = current?.last
  if (!last || current.state === 'refused') return undefined
  if (current.key === 'found')
    return {
      problem: `${name} came, was told where to sign in, and did not look there.`,
      fix: 'Either it cannot sign in by OAuth (update it, or give it an access token), or a proxy keeps /.well-known/ for itself (the check below tells).',
      link: { href: '/apps/tokens', label: 'Make an access token' },
    }
  if (current.key === 'metadata')
    return {
      problem: `${name} read who signs people in here, and went no further.`,
      fix: 'Run the check below: an address in the documents that differs from the one that was pasted makes apps stop here. Some apps want to be entered by hand: ask an administrator to register it.',
      link: CHECK,
    }
  if (current.key === 'registered')
    return {
      problem: `${name} registered, and never sent you to the page that asks you.`,
      fix: 'It should have opened a browser. Look for a sign-in button in the app, or for a pop-up that was blocked, and start it again there.',
    }
  if (current.key === 'asked') return silentAfterAsking(last, entries, name)
  const wasAsked = stages.some(({ key, state }) => key === 'asked' && state === 'done')
  return {
    problem: `${name} ${wasAsked ? 'was let in, has its token,' : 'has its token'} and never used it.`,
    fix: 'Reload the server in the app, or restart the app. If it insists, see in its log what it says about the connection after signing in.',
  }
}

function silentAfterAsking(last: TraceEntry, entries: readonly TraceEntry[], name: string): Advice {
  if (last.reason === 'client_waits') return waitsForApproval(name)
  if (last.step === 'consent')
    return {
      problem: `You allowed it, and ${name} never came for its token.`,
      fix: backFix(entries),
    }
  if (last.step === 'sign-in' && last.outcome !== 'ok')
    return {
      problem: 'The sign-in page was opened, and nobody signed in.',
      fix: `Start again in ${name} and sign in on the page that opens.`,
    }
  return {
    problem: 'The page that asks you was opened and not answered. It is good for ten minutes.',
    fix: `Start again in ${name}, then allow or deny it on the page that opens.`,
  }
}

/** The answer goes through the browser, so it must be the browser's own computer that listens there. */
const backFix = (entries: readonly TraceEntry[]): string =>
  entries.some((entry) => isKnock(entry) || entry.step === 'register')
    ? 'It waits for your browser on its own computer, or gave up waiting (some do after 30 seconds). Is it on another computer, in a container or behind SSH? Then sign in with a browser there, or give it an access token. Otherwise start it again and answer quickly.'
    : 'It may have given up waiting. Start it again and answer quickly; if it runs on another computer than your browser, give it an access token.'
