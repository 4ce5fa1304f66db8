/** What every page of an authorization has in common: who asks, how far their name can be relied on, where it leads, as whom. */
import type { BareShell } from './layout.tsx'
import { Badge, type Tone } from './parts/badge.tsx'
import { Button } from './parts/button.tsx'
import { foreign } from './parts/format.ts'
import { Notice } from './parts/notice.tsx'
import { Ago } from './parts/time.tsx'

/** How much of a client's name is more than its own word. */
export type Verification =
  /** It registered itself: anybody can take any name. */
  | { level: 'unverified' }
  /** Its metadata document is served by this host, so that host vouches for it, and for no install of it. */
  | { level: 'document'; host: string }
  /** An administrator here registered it. */
  | { level: 'registered' }

/** A well-known client that this one resembles, by an exact address. A hint to the reader, never a reason to trust. */
export type KnownAs = { name: string; by: 'document' | 'redirect' }

/** Who gets the answer: a host, this very computer, an app by its own scheme, or a device that waits for it elsewhere. */
export type ReturnPlace = { kind: 'web' | 'loopback' | 'scheme'; to: string } | { kind: 'device'; address: string; startedAt: number }

export type ConsentRequest = {
  shell: BareShell
  username: string
  /** The single-use secret of this request. */
  request: string
  /** Our own path that leads here again; where a sign-out comes back to. */
  returnPath: string
  client: { name: string; verification: Verification; known?: KnownAs | undefined }
  returnPlace: ReturnPlace
}

/** Outside the form that decides: forms do not nest, and a button in it that stood before Deny would be what Enter presses. */
const SIGN_OUT = 'consent-sign-out'
export const LOOK = 'consent-look'

type NameCheck = { tone: Tone; word: string; means: string }

const holderOf = ({ kind }: ReturnPlace) => (kind === 'device' ? 'device' : 'program')

/**
 * One word and what it means. A domain vouches for a name and for the web addresses beneath it. It cannot vouch for
 * whoever listens on this computer, claims a scheme, or types on a device: those can all borrow the name.
 */
function checkOf({ client: { verification, known }, returnPlace }: ConsentRequest): NameCheck {
  if (verification.level === 'registered')
    return {
      tone: 'ok',
      word: 'registered by an administrator',
      means: 'An administrator here entered this app and where it may be sent back to.',
    }
  const looks =
    known && `Looks like ${known.name}, by the address ${known.by === 'document' ? 'of its metadata document' : 'that it is sent back to'}.`
  if (verification.level === 'unverified') {
    const means = 'The app chose its own name; anybody can take any name.'
    return looks ? { tone: 'neutral', word: 'known app', means: `${looks} ${means}` } : { tone: 'warning', word: 'unverified name', means }
  }
  const host = foreign(verification.host, 80)
  if (returnPlace.kind === 'web')
    return {
      tone: 'ok',
      word: 'verified domain',
      means: [`${host} publishes this name and where its answers go.`, looks].filter(Boolean).join(' '),
    }
  const holder = holderOf(returnPlace)
  return {
    tone: 'neutral',
    word: `verified domain, unverified ${holder}`,
    means: `${host} publishes this name. Whether the ${holder} that asks is really theirs, nobody can check from here.`,
  }
}

const ReturnWarning = ({ client, returnPlace }: ConsentRequest) => {
  if (returnPlace.kind === 'device')
    return (
      <Notice tone="warning" title="A device elsewhere waits for this">
        Go on only if you have just started this yourself. Whoever sent you a code or a link to this page would get in with your answer.
      </Notice>
    )
  if (returnPlace.kind === 'loopback')
    return (
      <Notice tone="warning" title="The answer goes to a program on this computer">
        Any program running here can ask under any name. Go on only if you have just started this yourself.
      </Notice>
    )
  if (client.verification.level === 'unverified')
    return (
      <Notice tone="warning" title="Look at where you will be sent back">
        If you do not know <code class="break">{foreign(returnPlace.to, 120)}</code>, deny.
      </Notice>
    )
  return <></>
}

export const TITLE = 'consent-title'

/** The head of each variant. */
export const Asking = (p: ConsentRequest) => {
  const check = checkOf(p)
  return (
    <>
      <h1 class="consent-title" id={TITLE}>
        <bdi class="break">{foreign(p.client.name, 60) || 'An app without a name'}</bdi>
        <span>wants to use your tools</span>
      </h1>
      <div class="consent-check">
        <Badge tone={check.tone}>{check.word}</Badge>
        <p class="hint break">{check.means}</p>
      </div>
      <ReturnWarning {...p} />
    </>
  )
}

export const ReturnFact = ({ place }: { place: ReturnPlace }) =>
  place.kind === 'device' ? (
    <div>
      <dt>Asks from</dt>
      <dd>
        A device at <code class="break">{place.address}</code>, started <Ago at={place.startedAt} />
      </dd>
    </div>
  ) : (
    <div>
      <dt>Sends you back to</dt>
      <dd>
        <code class="break">{foreign(place.to, 120)}</code>
      </dd>
    </div>
  )

export const UserFact = (p: ConsentRequest) => (
  <div>
    <dt>Signed in as</dt>
    <dd>
      <strong>{p.username}</strong>{' '}
      <button class="text-button" type="submit" form={SIGN_OUT}>
        Not you? Sign out
      </button>
    </dd>
  </div>
)

export type ShownProfile = { id: string; title: string; address: string }

export const ProfileFact = ({ profile }: { profile: ShownProfile }) => (
  <div>
    <dt>Profile</dt>
    <dd>
      <strong>{foreign(profile.title)}</strong> <code class="muted break">{profile.address}</code>
    </dd>
  </div>
)

/** Where the app leaves the choice to the user. `current` is the one that the page shows. */
export type ProfileChoice = { name: string; title: string; current: boolean }

export const ProfilePicker = ({ choices }: { choices: readonly ProfileChoice[] }) =>
  choices.length > 1 ? (
    <section class="consent-profiles" aria-labelledby="consent-profiles-title">
      <h2 id="consent-profiles-title">Which profile?</h2>
      <p class="hint">The app leaves this to you.</p>
      <ul>
        {choices.map((choice) => (
          <li>
            <button type="submit" form={LOOK} name="profile" value={choice.name} aria-current={choice.current ? 'true' : undefined}>
              {foreign(choice.title, 64)}
              {choice.current && <span class="hint">shown here</span>}
            </button>
          </li>
        ))}
      </ul>
    </section>
  ) : (
    <></>
  )

/** The same request once more: a device has no address that leads back to it, so its form is sent again. */
export const LookAgain = (p: ConsentRequest) =>
  p.returnPlace.kind === 'device' ? (
    <button class="button button-secondary button-large" type="submit" form={LOOK} name="decision" value="again">
      <span>Look again</span>
    </button>
  ) : (
    <a class="button button-secondary button-large" href={p.returnPath}>
      <span>Look again</span>
    </a>
  )

/**
 * Allow and Deny weigh the same: one look, one size. Deny comes first, because the browser takes the first button when
 * Enter is pressed in a text field, and a slip must not let anybody in.
 */
export const Decision = (p: { allow: boolean }) => (
  <div class={`decision${p.allow ? '' : ' decision-one'}`}>
    <Button name="decision" value="deny" large={true}>
      Deny
    </Button>
    {p.allow && (
      <Button name="decision" value="allow" large={true}>
        Allow
      </Button>
    )}
  </div>
)

/** The forms beside the one that decides. */
export const OtherForms = (p: ConsentRequest) => (
  <>
    <form id={LOOK} method="post" action="/oauth/authorize/decide">
      <input type="hidden" name="request" value={p.request} />
    </form>
    <form id={SIGN_OUT} method="post" action="/logout">
      <input type="hidden" name="next" value={p.returnPath} />
    </form>
  </>
)
