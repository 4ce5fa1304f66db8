/**
 * How its user is told away from these pages, and how they are asked. On the settings page.
 * POST /settings/notices/ntfy — name, server (empty: ntfy.sh), topic, token (may be empty), topics.
 * POST /settings/notices/webhook — name, url, topics; the reply is a page with the secret, shown once.
 * POST /settings/notices/push — name, endpoint, p256dh, auth, topics; sent by `toolpass.js`.
 * POST /settings/notices/:id — name, topics. /test and /remove below it — nothing else.
 * POST /settings/approvals — in_app.
 */
import { Layout, type Shell } from './layout.tsx'
import { Badge } from './parts/badge.tsx'
import { Button, LinkButton } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { Confirm } from './parts/confirm.tsx'
import { CopyBlock } from './parts/copy.tsx'
import { Empty } from './parts/empty.tsx'
import { FieldError, FormProblem, type FormState, RadioField, TextField } from './parts/field.tsx'
import { foreign } from './parts/format.ts'
import { Notice } from './parts/notice.tsx'
import { Tabs } from './parts/tabs.tsx'
import { AgoOr } from './parts/time.tsx'

export type NoticeTopic = 'approvals' | 'changes' | 'trouble' | 'digest'
export type NoticeWay = {
  id: string
  kind: 'ntfy' | 'webhook' | 'push'
  name: string
  host: string
  topics: readonly NoticeTopic[]
  problem: string | null
  sentAt: number | null
}
/** Which of the forms was refused, or the id of a way. */
export type RefusedNotice = { of: string; form: FormState }
export type NoticesCardProps = {
  ways: readonly NoticeWay[]
  /** What a browser subscribes with, and the script that hears of notices in it. */
  push: { key: string; worker: string }
  /** A topic that nobody guesses. */
  topic: string
  refused?: RefusedNotice | undefined
}

const TOPICS: readonly (readonly [NoticeTopic, string])[] = [
  ['approvals', 'Calls that wait for me'],
  ['changes', 'Tools that changed'],
  ['trouble', 'Sign-ins that fail'],
  ['digest', 'Weekly digest'],
]
const KINDS: Record<NoticeWay['kind'], string> = { ntfy: 'ntfy', webhook: 'Webhook', push: 'Browser' }

const TopicBoxes = (p: { topics: readonly NoticeTopic[]; form?: FormState | undefined }) => {
  // What was ticked in a form that was refused, as one text.
  const chosen: readonly string[] = p.form?.values?.['topics']?.split(' ') ?? p.topics
  return (
    <fieldset class="field topics">
      <legend>About</legend>
      <div>
        {TOPICS.map(([topic, label]) => (
          <label class="check-line">
            <input type="checkbox" name="topics" value={topic} checked={chosen.includes(topic)} />
            <span>{label}</span>
          </label>
        ))}
      </div>
      {p.form?.errors?.['topics'] && <FieldError>{p.form.errors['topics']}</FieldError>}
    </fieldset>
  )
}
const USUAL: readonly NoticeTopic[] = ['approvals', 'changes', 'trouble']

const Way = (p: { way: NoticeWay; form: FormState | undefined }) => {
  const { way, form } = p
  return (
    <li class="way">
      <div class="way-head">
        <div>
          <p class="row-title">
            <bdi>{foreign(way.name, 60)}</bdi> <Badge>{KINDS[way.kind]}</Badge>
          </p>
          <p class="row-note">
            <span class="mono">{foreign(way.host, 100)}</span> · last sent <AgoOr at={way.sentAt} none="never" />
          </p>
          {way.problem && <p class="cell-danger">{foreign(way.problem, 200)}</p>}
        </div>
        <div class="actions">
          <form method="post" action={`/settings/notices/${way.id}/test`} data-busy={true}>
            <Button>Send a test</Button>
          </form>
          <Confirm
            place="row"
            label="Remove"
            icon="trash"
            confirm={`Remove ${foreign(way.name, 30)}`}
            action={`/settings/notices/${way.id}/remove`}
            question={
              <>
                Remove <strong>{foreign(way.name, 60)}</strong>? You are not told by it any more.
              </>
            }
          />
        </div>
      </div>
      <details class="fold" open={form !== undefined}>
        <summary>
          {way.topics.length === 0
            ? 'About nothing'
            : TOPICS.filter(([topic]) => way.topics.includes(topic))
                .map(([, label]) => label)
                .join(', ')}
        </summary>
        <form class="stack narrow" method="post" action={`/settings/notices/${way.id}`}>
          <FormProblem form={form} />
          <TextField name="name" label="Name" value={way.name} form={form} scope={way.id} required={true} lengthMax={60} />
          <TopicBoxes topics={way.topics} form={form} />
          <div class="actions">
            <Button>Save</Button>
          </div>
        </form>
      </details>
    </li>
  )
}

const Ntfy = (p: { topic: string; form: FormState | undefined }) => (
  <form class="stack narrow" method="post" action="/settings/notices/ntfy">
    <FormProblem form={p.form} />
    <p class="hint">
      Install the ntfy app on your phone and subscribe to this topic there. Whoever knows it can read along, so it should be hard to guess.
    </p>
    <TextField name="name" label="Name" value="My phone" form={p.form} scope="ntfy" required={true} lengthMax={60} />
    <TextField name="topic" label="Topic" form={p.form} scope="ntfy" required={true} mono={true} lengthMax={64} value={p.topic} />
    <TextField name="server" label="Server" type="url" form={p.form} scope="ntfy" optional={true} placeholder="https://ntfy.sh" />
    <TextField
      name="token"
      label="Access token"
      type="password"
      form={p.form}
      scope="ntfy"
      optional={true}
      autocomplete="off"
      hint="Where the topic is protected. It is sealed, and never shown again."
    />
    <TopicBoxes topics={USUAL} form={p.form} />
    <div class="actions">
      <Button>Add and send a test</Button>
    </div>
  </form>
)

const Webhook = (p: { form: FormState | undefined }) => (
  <form class="stack narrow" method="post" action="/settings/notices/webhook">
    <FormProblem form={p.form} />
    <p class="hint">JSON by POST, signed as Standard Webhooks has it. The secret for the signature is shown once.</p>
    <TextField name="name" label="Name" form={p.form} scope="webhook" required={true} lengthMax={60} placeholder="Home automation" />
    <TextField name="url" label="Address" type="url" form={p.form} scope="webhook" required={true} placeholder="https://" />
    <TopicBoxes topics={USUAL} form={p.form} />
    <div class="actions">
      <Button>Add</Button>
    </div>
  </form>
)

const Push = (p: NoticesCardProps & { form: FormState | undefined }) => (
  <form class="stack narrow" method="post" action="/settings/notices/push" data-push={p.push.key} data-worker={p.push.worker}>
    <FormProblem form={p.form} />
    <p class="hint">This browser shows notices, also while no page of ours is open. On a phone, do it there.</p>
    <TextField name="name" label="Name" value="This browser" form={p.form} scope="push" required={true} lengthMax={60} />
    <TopicBoxes topics={USUAL} form={p.form} />
    {['endpoint', 'p256dh', 'auth'].map((name) => (
      <input type="hidden" name={name} value="" />
    ))}
    <p class="field-error" data-push-problem={true} hidden={true} role="alert" />
    <div class="actions needs-js">
      <Button>Switch on in this browser</Button>
    </div>
    <p class="muted needs-no-js">This takes JavaScript, which is switched off here.</p>
  </form>
)

export const NoticesCard = (p: NoticesCardProps) => {
  const formOf = (of: string) => (p.refused?.of === of ? p.refused.form : undefined)
  const first = ['ntfy', 'push', 'webhook'].find((of) => of === p.refused?.of) ?? 'ntfy'
  const tabs = [
    { id: 'ntfy', title: 'ntfy', panel: <Ntfy topic={p.topic} form={formOf('ntfy')} /> },
    { id: 'push', title: 'This browser', panel: <Push {...p} form={formOf('push')} /> },
    { id: 'webhook', title: 'Webhook', panel: <Webhook form={formOf('webhook')} /> },
  ].sort((one, other) => Number(other.id === first) - Number(one.id === first))
  return (
    <Card
      id="notices"
      title="Notices"
      lead="How you are told when something waits for you. They say what and where, never with which arguments."
      flush={true}
    >
      {p.ways.length === 0 ? (
        <Empty icon="bell" title="You are told on these pages alone">
          Add a way below, and a call that waits for you reaches your phone.
        </Empty>
      ) : (
        <ul class="rows">
          {p.ways.map((way) => (
            <Way way={way} form={formOf(way.id)} />
          ))}
        </ul>
      )}
      <details class="card-foot fold" open={p.ways.length === 0 || tabs.some(({ id }) => formOf(id) !== undefined)}>
        <summary>Add a way</summary>
        <Tabs name="way" label="Ways to be told" look="chips" tabs={tabs} />
      </details>
    </Card>
  )
}

export type InApp = 'never' | 'not-destructive' | 'always'

/** Where its user is asked beside the page. */
export const AskingCard = (p: { inApp: InApp }) => (
  <Card id="asking" title="Approvals inside apps" lead="An app that can show a form may ask you itself when a tool is set to ask first.">
    <form class="stack narrow" method="post" action="/settings/approvals">
      <RadioField
        name="in_app"
        label="Ask me inside the app"
        value={p.inApp}
        options={[
          { value: 'not-destructive', label: 'Except for what destroys', hint: 'Destructive tools are decided about here alone.' },
          { value: 'always', label: 'For every tool' },
          { value: 'never', label: 'Never', hint: 'An app that answers its own questions gets nowhere.' },
        ]}
      />
      <div class="actions">
        <Button>Save</Button>
      </div>
    </form>
  </Card>
)

export const WebhookMadePage = (p: { shell: Shell; name: string; host: string; secret: string }) => (
  <Layout shell={p.shell} title="Webhook added" current="settings">
    <PageHead
      back={{ href: '/settings#notices', label: 'Settings' }}
      title={<bdi>{foreign(p.name, 60)}</bdi>}
      lead={
        <>
          Notices go to <code class="break">{foreign(p.host, 100)}</code>.
        </>
      }
    />
    <Notice tone="warning" alert={true} title="This is the only time the secret is shown">
      With it the receiver checks that a notice comes from here: the headers webhook-id, webhook-timestamp and webhook-signature, as
      Standard Webhooks has them.
    </Notice>
    <Card title="Secret">
      <CopyBlock text={p.secret} label="secret" />
    </Card>
    <div class="actions">
      <LinkButton href="/settings#notices">I have kept it</LinkButton>
    </div>
  </Layout>
)
