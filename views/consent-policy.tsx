/**
 * The house does not let this app in as it is: it waits for an administrator's approval, or stands on no list.
 * POST /oauth/authorize/approve — request: by an administrator; shows consent for the same request.
 */
import { Asking, type ConsentRequest, Decision, LookAgain, OtherForms, ReturnFact, TITLE, UserFact } from './consent-parts.tsx'
import { Bare } from './layout.tsx'
import { Notice } from './parts/notice.tsx'

export type ConsentPolicyPageProps = ConsentRequest & {
  why: 'waits' | 'not-listed'
  /** The viewer is an administrator, who can admit it on the spot. */
  mayApprove: boolean
}

const SAYS = {
  waits: {
    title: 'An administrator has to approve this app first',
    member: 'It is on their list now. Tell them, and look again when they have; this request waits for ten minutes.',
  },
  'not-listed': {
    title: 'Only apps on a list are let in here',
    member: 'This one is not on it. An administrator can put it there; this request waits for ten minutes.',
  },
}

export const ConsentPolicyPage = (p: ConsentPolicyPageProps) => (
  <Bare shell={p.shell} title={SAYS[p.why].title} wide={true}>
    <form class="consent" method="post" action="/oauth/authorize/decide" aria-labelledby={TITLE}>
      <input type="hidden" name="request" value={p.request} />
      <Asking {...p} />
      <Notice tone="info" title={SAYS[p.why].title}>
        {p.mayApprove
          ? 'You are an administrator: you can approve it here, for everybody. What it may use of yours is asked next.'
          : SAYS[p.why].member}
      </Notice>
      <dl class="consent-facts">
        <ReturnFact place={p.returnPlace} />
        <UserFact {...p} />
      </dl>
      {p.mayApprove ? (
        <div class="decision">
          <button class="button button-secondary button-large" type="submit" name="decision" value="deny">
            <span>Deny</span>
          </button>
          <button class="button button-secondary button-large" type="submit" formaction="/oauth/authorize/approve">
            <span>Approve this app</span>
          </button>
        </div>
      ) : (
        <>
          <div class="decision decision-one">
            <LookAgain {...p} />
          </div>
          <Decision allow={false} />
        </>
      )}
    </form>
    <OtherForms {...p} />
  </Bare>
)
