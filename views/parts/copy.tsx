import { Icon } from './icon.tsx'

/**
 * Text to take away. Without JavaScript one click selects the whole of it (CSS `user-select: all`), and the button,
 * which could do nothing then, is not shown.
 */
export const CopyBlock = (p: { text: string; label: string; multiline?: boolean | undefined }) => (
  <div class={`copy${p.multiline ? ' copy-multiline' : ''}`}>
    {/* One line wraps; more of them scroll inside, so that box can be reached and scrolled with the keyboard. */}
    <pre tabindex={p.multiline ? '0' : undefined}>
      <code>{p.text}</code>
    </pre>
    <CopyButton text={p.text} label={p.label} />
  </div>
)

export const CopyButton = (p: { text: string; label: string }) => (
  <button class="copy-button needs-js" type="button" data-copy={p.text} aria-label={`Copy ${p.label}`}>
    <Icon name="copy" />
    <Icon name="check" />
    <span data-copy-word={true}>Copy</span>
  </button>
)
