/** For an app that its user let in before: what would be different now, and what becomes of the earlier connection. */
import type { Child } from './jsx-runtime.ts'
import { Switch } from './parts/field.tsx'
import { foreign, foreignMiddle } from './parts/format.ts'
import { Ago } from './parts/time.tsx'

/** The latest connection of this app, against what the page proposes. */
export type Earlier = {
  at: number
  /** Its profile, where it was another one. */
  profile?: string | undefined
  /** Names of tools, prompts and resources that are on now and were not, and the other way round. */
  added: readonly string[]
  dropped: readonly string[]
  /** In the profile and off, now as then. */
  left: readonly string[]
  /** How many of those that it had this profile does not have. */
  gone: number
  /** In words, where the page proposes another end. */
  lasts?: { before: string; now: string } | undefined
}

/** A connection of the same app that this one can take the place of. */
export type Replaceable = { id: string; device: string; profile: string; at: number; on: boolean }

const NAMES_SHOWN_MAX = 5

const names = (all: readonly string[]): Child => {
  const rest = all.length - NAMES_SHOWN_MAX
  return (
    <>
      <span class="mono break">
        {all
          .slice(0, NAMES_SHOWN_MAX)
          .map((name) => foreignMiddle(name, 64))
          .join(', ')}
      </span>
      {rest > 0 && ` and ${rest} more`}
    </>
  )
}

function differences({ profile, added, dropped, left, gone, lasts }: Earlier): Child[] {
  const lines: Child[] = []
  if (profile !== undefined) lines.push(<>Another profile; it was {foreign(profile, 64)}.</>)
  if (added.length > 0) lines.push(<>On now, not before: {names(added)}</>)
  if (dropped.length > 0) lines.push(<>No longer on: {names(dropped)}</>)
  if (gone > 0) lines.push(`Of what it had, ${gone} ${gone === 1 ? 'is' : 'are'} not in this profile.`)
  if (left.length > 0) lines.push(<>Off, as before or new since: {names(left)}</>)
  if (lasts) lines.push(`Ends ${lasts.now}; before, ${lasts.before}.`)
  return lines
}

export const Again = ({ earlier }: { earlier: Earlier }) => {
  const lines = differences(earlier)
  return (
    <section class="consent-again" aria-labelledby="consent-again-title">
      <h2 id="consent-again-title">
        You let this app in <Ago at={earlier.at} />
      </h2>
      {lines.length === 0 ? (
        <p class="hint">As proposed here, it would be the same: profile, tools and time.</p>
      ) : (
        <>
          <p class="hint">As proposed here, this would be different:</p>
          <ul>
            {lines.map((line) => (
              <li>{line}</li>
            ))}
          </ul>
        </>
      )}
    </section>
  )
}

/** `shared`: its identifier stands for every install of the app, so that the earlier one may be another device in use. */
export const Replaces = (p: { earlier: readonly Replaceable[]; shared: boolean }) =>
  p.earlier.length === 0 ? (
    <></>
  ) : (
    <fieldset class="consent-replaces">
      <legend>When you allow this</legend>
      {p.earlier.map((grant) => (
        <label class="switch-line" for={`replaces-${grant.id}`}>
          <Switch
            name="replaces"
            on={grant.on}
            attributes={{ id: `replaces-${grant.id}`, value: grant.id, 'aria-describedby': 'consent-replaces-hint' }}
          />
          <span>
            Replaces <bdi class="break">{foreign(grant.device, 60) || 'the connection without a name'}</bdi>{' '}
            <span class="muted">
              ({foreign(grant.profile, 64)}, <Ago at={grant.at} />)
            </span>
          </span>
        </label>
      ))}
      <p class="hint" id="consent-replaces-hint">
        {p.shared
          ? 'What is replaced loses its access at once. Leave it off for an install elsewhere that you still use.'
          : 'What is replaced loses its access at once. Switch it off if you still use both.'}
      </p>
    </fieldset>
  )
