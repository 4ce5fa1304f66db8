import { Icon } from './icon.tsx'

export type ToastMessage = { tone: 'good' | 'bad'; text: string }

const Toast = (p: { message: ToastMessage }) => (
  <div class={`toast tone-${p.message.tone === 'good' ? 'ok' : 'danger'}`} data-toast={p.message.tone}>
    <Icon name={p.message.tone === 'good' ? 'circle-check' : 'circle-alert'} />
    <span>{p.message.text}</span>
    <button class="icon-button needs-js" type="button" data-dismiss={true} aria-label="Dismiss">
      <Icon name="x" />
    </button>
  </div>
)

/** Stands on every page, empty or not: a live region must exist before something is said in it. */
export const Toasts = (p: { messages: readonly ToastMessage[] }) => (
  <div id="toasts" class="toasts" role="status" aria-live="polite">
    {p.messages.map((message) => (
      <Toast message={message} />
    ))}
  </div>
)

/** Goes along with a piece in an htmx reply; the browser adds it to the region of the page. */
export const ToastAlong = (p: { message: ToastMessage }) => (
  <div hx-swap-oob="beforeend:#toasts">
    <Toast message={p.message} />
  </div>
)
