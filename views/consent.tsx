/**
 * The page on which a person lets an app in, or does not. A plain form in every part: it must work without JavaScript,
 * and its answer is a redirect out of the house, which htmx could not follow.
 * POST /oauth/authorize/decide — request (single use), decision (allow | deny), tool_id (once for each that is on),
 *   expires (day | month | never), device_name.
 * POST /logout — next, for "not you?".
 */
import { ConsentTools, type ConsentTool } from './consent-tools.tsx'
import { Bare, type BareShell } from './layout.tsx'
import { Badge } from './parts/badge.tsx'
import { Button, LinkButton } from './parts/button.tsx'
import { type FormState, FormProblem, RadioField, TextField } from './parts/field.tsx'
import { foreign } from './parts/format.ts'
import { ContextMeter } from './parts/meter.tsx'
import { Notice } from './parts/notice.tsx'

/** How much of a client's name is more than its own word. */
export type Verification =
  /** It registered itself: anybody can take any name. */
  | { level: 'unverified' }
  /** Its metadata document is served by this host, so that host vouches for it, and for no install of it. */
  | { level: 'document'; host: string }
  /** An administrator here registered it. */
  | { level: 'registered' }

/** Where the browser goes afterwards: a host, this very computer, or an app by its own scheme. */
export type ReturnPlace = { kind: 'web' | 'loopback' | 'scheme'; to: string }

export type ConsentRequest = {
  shell: BareShell
  username: string
  /** The single-use secret of this request. */
  request: string
  /** Our own path that shows this page again; where a sign-out comes back to. */
  returnPath: string
  client: { name: string; verification: Verification }
  returnPlace: ReturnPlace
}

export type ConsentPageProps = ConsentRequest & {
  profile: { title: string; address: string }
  /** Other profiles, where the app leaves the choice to the user; links that show this page for them. */
  otherProfiles: readonly { title: string; href: string }[]
  tools: readonly ConsentTool[]
  /** A guess from the request ("Chrome on macOS"), or what was entered. */
  deviceName: string
  form?: FormState | undefined
}

/** Also outside the form: a sign-out is a form of its own, and forms do not nest. */
const SIGN_OUT = 'consent-sign-out'

const NameCheck = ({ verification }: { verification: Verification }) => {
  if (verification.level === 'registered') return <Badge tone="ok">registered by an administrator</Badge>
  if (verification.level === 'document') return <Badge tone="neutral">name published by {foreign(verification.host, 60)}</Badge>
  return <Badge tone="warning">unverified name</Badge>
}

const ReturnWarning = (p: { place: ReturnPlace; verification: Verification }) => {
  if (p.place.kind === 'loopback')
    return (
      <Notice tone="warning" title="The answer goes to a program on this computer">
        Any program running here can ask under any name. Go on only if you have just started this yourself.
      </Notice>
    )
  if (p.verification.level === 'unverified')
    return (
      <Notice tone="warning" title="This app chose its own name">
        Look at where you will be sent back: if you do not know <code class="break">{foreign(p.place.to, 120)}</code>, deny.
      </Notice>
    )
  return <></>
}

/** Who asks, where it leads, as whom: the same on every variant of this page. */
const Asking = (p: ConsentRequest & { children?: unknown | undefined }) => (
  <>
    <h1 class="consent-title">
      <bdi class="break">{foreign(p.client.name, 60) || 'An app without a name'}</bdi>
      <span>wants to use your tools</span>
    </h1>
    <p class="consent-check">
      <NameCheck verification={p.client.verification} />
    </p>
    <ReturnWarning place={p.returnPlace} verification={p.client.verification} />
  </>
)

const AsWhom = (p: ConsentRequest) => (
  <>
    <strong>{p.username}</strong>{' '}
    <button class="text-button" type="submit" form={SIGN_OUT}>
      Not you? Sign out
    </button>
  </>
)

const SignOutForm = (p: ConsentRequest) => (
  <form id={SIGN_OUT} method="post" action="/logout">
    <input type="hidden" name="next" value={p.returnPath} />
  </form>
)

const ProfileFact = (p: Pick<ConsentPageProps, 'profile' | 'otherProfiles'>) => (
  <>
    <strong>{foreign(p.profile.title)}</strong> <code class="muted break">{p.profile.address}</code>
    {p.otherProfiles.length > 0 && (
      <details class="other-profiles">
        <summary>Choose another</summary>
        <ul>
          {p.otherProfiles.map((profile) => (
            <li>
              <a href={profile.href}>{foreign(profile.title)}</a>
            </li>
          ))}
        </ul>
      </details>
    )}
  </>
)

/**
 * Allow and Deny weigh the same: one look, one size. Deny comes first, because the browser takes the first button when
 * Enter is pressed in a text field, and a slip must not let anybody in.
 */
const Decision = (p: { allow: boolean }) => (
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

const EXPIRIES = [
  { value: 'day', label: '1 day' },
  { value: 'month', label: '30 days' },
  { value: 'never', label: 'Until revoked' },
]

export const ConsentPage = (p: ConsentPageProps) => {
  const on = p.tools.filter((tool) => tool.on)
  return (
    <Bare shell={p.shell} title="Allow an app?" wide={true}>
      <form class="consent" method="post" action="/oauth/authorize/decide" data-recount={true}>
        <input type="hidden" name="request" value={p.request} />
        <Asking {...p} />
        <FormProblem form={p.form} />
        <dl class="consent-facts">
          <div>
            <dt>Sends you back to</dt>
            <dd>
              <code class="break">{foreign(p.returnPlace.to, 120)}</code>
            </dd>
          </div>
          <div>
            <dt>Signed in as</dt>
            <dd>
              <AsWhom {...p} />
            </dd>
          </div>
          <div>
            <dt>Profile</dt>
            <dd>
              <ProfileFact profile={p.profile} otherProfiles={p.otherProfiles} />
            </dd>
          </div>
        </dl>
        <ConsentTools tools={p.tools} />
        <ContextMeter cost={on.reduce((sum, tool) => sum + tool.contextCost, 0)} tools={on.length} of={p.tools.length} />
        <RadioField name="expires" label="Until when" value="month" form={p.form} options={EXPIRIES} inline={true} />
        <TextField
          name="device_name"
          label="Name of this device"
          value={p.deviceName}
          form={p.form}
          optional={true}
          lengthMax={60}
          hint="So that you can tell this install from others later."
        />
        <Decision allow={true} />
        <p class="consent-foot muted">You can take this back at any time under Connected apps. It holds at once.</p>
      </form>
      <SignOutForm {...p} />
    </Bare>
  )
}

export type ConsentNoToolsPageProps = ConsentRequest & {
  profile: { id: string; title: string; address: string }
  otherProfiles: ConsentPageProps['otherProfiles']
}

/** The profile is empty: there is nothing to allow yet. The request waits while tools are picked elsewhere. */
export const ConsentNoToolsPage = (p: ConsentNoToolsPageProps) => (
  <Bare shell={p.shell} title="No tools yet" wide={true}>
    <form class="consent" method="post" action="/oauth/authorize/decide">
      <input type="hidden" name="request" value={p.request} />
      <Asking {...p} />
      <Notice tone="info" title={<>{foreign(p.profile.title)} has no tools yet</>}>
        Pick some first, in a new tab, then look at this request again. It waits for ten minutes.
      </Notice>
      <dl class="consent-facts">
        <div>
          <dt>Signed in as</dt>
          <dd>
            <AsWhom {...p} />
          </dd>
        </div>
        <div>
          <dt>Profile</dt>
          <dd>
            <ProfileFact profile={p.profile} otherProfiles={p.otherProfiles} />
          </dd>
        </div>
      </dl>
      <div class="decision">
        <a class="button button-secondary button-large" href={`/profiles/${p.profile.id}`} target="_blank" rel="noopener">
          <span>Pick tools</span>
        </a>
        <LinkButton href={p.returnPath} large={true}>
          Look again
        </LinkButton>
      </div>
      <Decision allow={false} />
    </form>
    <SignOutForm {...p} />
  </Bare>
)

/** POST /oauth/authorize/profile — request, title: makes the profile, then shows consent (without tools) for it. */
export type ConsentNoProfilePageProps = ConsentRequest & {
  /** The name in the address that the app was given. */
  slug: string
  /** What they have instead. Names only: the address that the app was given is good for no other profile. */
  profileTitles: readonly string[]
}

export const ConsentNoProfilePage = (p: ConsentNoProfilePageProps) => (
  <Bare shell={p.shell} title="No such profile" wide={true}>
    <form class="consent" method="post" action="/oauth/authorize/profile">
      <input type="hidden" name="request" value={p.request} />
      <Asking {...p} />
      <Notice tone="info" title={<>You have no profile named {foreign(p.slug, 64)}</>}>
        The app was given an address that ends in <code class="break">/mcp/{foreign(p.slug, 64)}</code>. Make this profile now and pick its
        tools, or deny and give the app another address.
      </Notice>
      <dl class="consent-facts">
        <div>
          <dt>Signed in as</dt>
          <dd>
            <AsWhom {...p} />
          </dd>
        </div>
        {p.profileTitles.length > 0 && (
          <div>
            <dt>Your profiles</dt>
            <dd>{p.profileTitles.map((title) => foreign(title)).join(', ')}</dd>
          </div>
        )}
      </dl>
      <div class="decision">
        <button
          class="button button-secondary button-large"
          type="submit"
          formaction="/oauth/authorize/decide"
          name="decision"
          value="deny"
        >
          <span>Deny</span>
        </button>
        <Button name="title" value={p.slug} large={true}>
          Make this profile
        </Button>
      </div>
    </form>
    <SignOutForm {...p} />
  </Bare>
)
