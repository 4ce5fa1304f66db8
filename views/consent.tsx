/**
 * The page on which a person lets an app in, or does not. A plain form in every part: it must work without JavaScript,
 * and its answer is a redirect out of the house, which htmx could not follow.
 * POST /oauth/authorize/decide — request (single use), decision (allow | deny), profile_id, tool_id (once for each that is on),
 *   expires (day | month | never), device_name, replaces (once for each earlier connection that ends).
 *   The same page again, nothing decided: decision (read-only | again), or profile (the name of another one).
 * POST /logout — next, for "not you?".
 */
import { Again, type Earlier, type Replaceable, Replaces } from './consent-again.tsx'
import {
  Asking,
  type ConsentRequest,
  Decision,
  LOOK,
  LookAgain,
  OtherForms,
  type ProfileChoice,
  ProfileFact,
  ProfilePicker,
  ReturnFact,
  type ShownProfile,
  TITLE,
  UserFact,
} from './consent-parts.tsx'
import { ConsentTools, type ConsentTool, ToolsCost } from './consent-tools.tsx'
import { Bare } from './layout.tsx'
import { type FormState, FormProblem, RadioField, TextField } from './parts/field.tsx'
import { foreign } from './parts/format.ts'
import { Notice } from './parts/notice.tsx'

/** A connection of the profile that does not work as it is: usually somebody has to sign in to it. */
export type Unready = { id: string; name: string; problem: string }

export type ConsentPageProps = ConsentRequest & {
  profile: ShownProfile
  /** The profiles to choose from, where the app leaves that to the user; else none. */
  choices: readonly ProfileChoice[]
  tools: readonly ConsentTool[]
  /** Where the app's model is shown the tools that find others, and not these. */
  searchCost?: number | undefined
  unready: readonly Unready[]
  earlier?: Earlier | undefined
  replaceable: readonly Replaceable[]
  /** A guess from the request ("Chrome on macOS"), or what it was called before. */
  deviceName: string
  /** day, month or never. */
  expires: string
  form?: FormState | undefined
}

const EXPIRIES = [
  { value: 'day', label: '1 day' },
  { value: 'month', label: '30 days' },
  { value: 'never', label: 'Until revoked' },
]

/** It asks for nothing that the page itself cannot show again: with JavaScript it happens at once. */
const ReadOnly = ({ tools }: { tools: readonly ConsentTool[] }) => {
  const reading = tools.filter(({ kind }) => kind === 'read').length
  return reading > 0 && reading < tools.length ? (
    <button class="button button-secondary" type="submit" form={LOOK} name="decision" value="read-only" data-select="read">
      <span>Read only</span>
    </button>
  ) : (
    <></>
  )
}

const UnreadyNotice = (p: ConsentRequest & { unready: readonly Unready[] }) =>
  p.unready.length === 0 ? (
    <></>
  ) : (
    <Notice tone="info" title="Part of this profile has to be connected first">
      <ul class="consent-unready">
        {p.unready.map(({ id, name, problem }) => (
          <li>
            <a href={`/connections/${id}`} target="_blank" rel="noopener">
              Connect {foreign(name, 64)}
            </a>{' '}
            <span class="break">{foreign(problem, 200)}</span>
          </li>
        ))}
      </ul>
      <p>
        It opens in a new tab; this request waits for ten minutes. What you allow now works as soon as it is connected.{' '}
        <button class="text-button" type="submit" form={LOOK} name="decision" value="again">
          Look again
        </button>
      </p>
    </Notice>
  )

export const ConsentPage = (p: ConsentPageProps) => (
  <Bare shell={p.shell} title="Allow an app?" wide={true}>
    <form class="consent" method="post" action="/oauth/authorize/decide" data-recount={true} aria-labelledby={TITLE}>
      <input type="hidden" name="request" value={p.request} />
      <input type="hidden" name="profile_id" value={p.profile.id} />
      <Asking {...p} />
      <FormProblem form={p.form} />
      <dl class="consent-facts">
        <ReturnFact place={p.returnPlace} />
        <UserFact {...p} />
        <ProfileFact profile={p.profile} />
      </dl>
      <ProfilePicker choices={p.choices} />
      {p.earlier && <Again earlier={p.earlier} />}
      <UnreadyNotice {...p} />
      <ConsentTools tools={p.tools} preset={<ReadOnly tools={p.tools} />} />
      <ToolsCost tools={p.tools} searchCost={p.searchCost} />
      <RadioField name="expires" label="Until when" value={p.expires} form={p.form} options={EXPIRIES} inline={true} />
      <TextField
        name="device_name"
        label="Name of this device"
        value={p.deviceName}
        form={p.form}
        optional={true}
        lengthMax={60}
        hint="So that you can tell this install from others later."
      />
      <Replaces earlier={p.replaceable} shared={p.client.verification.level === 'document'} />
      <Decision allow={true} />
      <p class="consent-foot muted">You can take this back at any time under Connected apps. It holds at once.</p>
    </form>
    <OtherForms {...p} />
  </Bare>
)

export type ConsentNoToolsPageProps = ConsentRequest & {
  profile: ShownProfile
  choices: readonly ProfileChoice[]
}

/** The profile is empty: there is nothing to allow yet. The request waits while tools are picked elsewhere. */
export const ConsentNoToolsPage = (p: ConsentNoToolsPageProps) => (
  <Bare shell={p.shell} title="No tools yet" wide={true}>
    <form class="consent" method="post" action="/oauth/authorize/decide" aria-labelledby={TITLE}>
      <input type="hidden" name="request" value={p.request} />
      <Asking {...p} />
      <Notice tone="info" title={<>{foreign(p.profile.title)} has no tools yet</>}>
        Pick some first, in a new tab, then look at this request again. It waits for ten minutes.
      </Notice>
      <dl class="consent-facts">
        <UserFact {...p} />
        <ProfileFact profile={p.profile} />
      </dl>
      <ProfilePicker choices={p.choices} />
      <div class="decision">
        <a class="button button-secondary button-large" href={`/profiles/${p.profile.id}`} target="_blank" rel="noopener">
          <span>Pick tools</span>
        </a>
        <LookAgain {...p} />
      </div>
      <Decision allow={false} />
    </form>
    <OtherForms {...p} />
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
    <form class="consent" method="post" action="/oauth/authorize/profile" aria-labelledby={TITLE}>
      <input type="hidden" name="request" value={p.request} />
      <Asking {...p} />
      <Notice tone="info" title={<>You have no profile named {foreign(p.slug, 64)}</>}>
        The app was given an address that ends in <code class="break">/mcp/{foreign(p.slug, 64)}</code>. Make this profile now and pick its
        tools, or deny and give the app another address.
      </Notice>
      <dl class="consent-facts">
        <UserFact {...p} />
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
        <button class="button button-secondary button-large" type="submit" name="title" value={p.slug}>
          <span>Make this profile</span>
        </button>
      </div>
    </form>
    <OtherForms {...p} />
  </Bare>
)
