/**
 * Shown instead of a redirect when an authorization request cannot be trusted with one (unknown client, a redirect
 * address that is not registered), and when the request itself is gone. No forms.
 */
import { Bare, type BareShell } from './layout.tsx'
import { LinkButton } from './parts/button.tsx'
import { foreign } from './parts/format.ts'

export type AuthorizationProblemPageProps = {
  shell: BareShell
  /** The OAuth error code, for whoever builds the app. */
  code: string
  /** What is wrong, in plain words. */
  message: string
  /** What the person at the browser can do. */
  fix?: string | undefined
  /** The developer's view: which parameter, which value. Attacker's text. */
  detail?: string | undefined
}

export const AuthorizationProblemPage = (p: AuthorizationProblemPageProps) => (
  <Bare shell={p.shell} title="This app cannot be let in">
    <div class="door">
      <h1>This app cannot be let in</h1>
      <p class="lead">{p.message}</p>
      <p>{p.fix ?? 'Nothing was allowed. Start again from the app; if it keeps happening, remove this server there and add it anew.'}</p>
      <dl class="consent-facts">
        <div>
          <dt>Error</dt>
          <dd>
            <code class="break select-all">{p.code}</code>
          </dd>
        </div>
        {p.detail && (
          <div>
            <dt>Detail</dt>
            <dd>
              <bdi class="mono break">{foreign(p.detail, 300)}</bdi>
            </dd>
          </div>
        )}
      </dl>
      <div class="actions">
        <LinkButton href="/" large={true}>
          Go to the start page
        </LinkButton>
      </div>
    </div>
  </Bare>
)
