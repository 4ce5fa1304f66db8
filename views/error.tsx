/** What is shown instead of a page. One sentence a stranger may read; what went wrong in detail is in the log only. */
import { Bare, type BareShell } from './layout.tsx'
import { LinkButton } from './parts/button.tsx'

export type ErrorPageProps = {
  shell: BareShell
  status: number
  /** The public sentence of the failure. */
  message?: string | undefined
  /** Shown so that it can be quoted: the log line of the fault carries it. */
  requestId?: string | undefined
}

const KNOWN: Record<number, readonly [title: string, message: string]> = {
  400: ['This request makes no sense here', 'Something in the address or the form was not as expected.'],
  403: ['This is not for you', 'Your account may not do this. An administrator here may.'],
  404: ['Nothing here', 'There is no such page, or it is not yours to see.'],
  421: ['Wrong address', 'Toolpass does not answer under this name. Use the address it was set up with.'],
  429: ['Too many requests', 'Wait a little, then try again.'],
  500: ['Something broke on our side', 'It was not your doing. What happened is in the log of Toolpass.'],
}

export const ErrorPage = (p: ErrorPageProps) => {
  const [title, message] = KNOWN[p.status] ?? KNOWN[p.status >= 500 ? 500 : 400] ?? ['Error', '']
  return (
    <Bare shell={p.shell} title={title}>
      <div class="door">
        <p class="error-status">{p.status}</p>
        <h1>{title}</h1>
        <p class="lead">{p.message ?? message}</p>
        {p.requestId && (
          <p class="muted">
            Request <code class="break select-all">{p.requestId}</code>
          </p>
        )}
        <div class="actions">
          <LinkButton href="/" tone="secondary" large={true}>
            Go to the start page
          </LinkButton>
        </div>
      </div>
    </Bare>
  )
}
