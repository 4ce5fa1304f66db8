import type { Child } from '../jsx-runtime.ts'
import { Button } from './button.tsx'
import { Icon, type IconName } from './icon.tsx'
import { Posting, type Target } from './posting.tsx'

/**
 * A destructive action: the first click opens the question, which names what will be destroyed; the second does it.
 * A `<details>`, so it works without JavaScript; `toolpass.js` closes it again by Escape or a click elsewhere.
 */
export const Confirm = (
  p: Target & {
    /** What the first button says. */
    label: string
    /** What the second button says: the deed and its object ("Delete Work"). */
    confirm: string
    question: Child
    /** What is lost, one line each. */
    consequences?: readonly Child[]
    icon?: IconName | undefined
    /** Nothing is destroyed, it is only not to be done by a slip. */
    mild?: boolean | undefined
    /** The first button is filled already: it is the one to be found in a hurry. */
    red?: boolean | undefined
    /** `row` opens over the page and fits a table; `block` opens in its place. */
    place?: 'row' | 'block' | undefined
  },
) => (
  <details class={`confirm confirm-${p.place ?? 'block'}`} data-closes={true}>
    <summary
      class={`button ${p.red ? 'button-danger' : p.place === 'row' ? 'button-quiet' : 'button-secondary'}${p.mild || p.red ? '' : ' button-risky'}`}
    >
      {p.icon && <Icon name={p.icon} />}
      <span>{p.label}</span>
    </summary>
    <Posting look="confirm-panel" action={p.action} fields={p.fields} target={p.target}>
      <p class="confirm-question">{p.question}</p>
      {p.consequences && (
        <ul>
          {p.consequences.map((line) => (
            <li>{line}</li>
          ))}
        </ul>
      )}
      <div class="actions">
        <Button tone={p.mild ? 'primary' : 'danger'}>{p.confirm}</Button>
        <button class="button button-quiet needs-js" type="button" data-close={true}>
          Cancel
        </button>
      </div>
    </Posting>
  </details>
)
