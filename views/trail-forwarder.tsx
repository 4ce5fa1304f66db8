/**
 * Where the trail is sent: one form a kind.
 * POST /admin/trail/forwarders — kind, name, from (now | beginning), and
 *   otlp: url, header, logs (on), traces (on); webhook: url, secret; syslog: host, port, secure (on).
 */
import { Layout, type Shell } from './layout.tsx'
import { Button } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { FormProblem, type FormState, RadioField, SwitchField, TextField } from './parts/field.tsx'
import { type ForwarderKind, KIND_WORDS } from './trail.tsx'

export type TrailForwarderPageProps = { shell: Shell; kind: ForwarderKind; form?: FormState | undefined }
type Fields = { form: FormState | undefined }

const LEADS: Record<ForwarderKind, string> = {
  otlp: 'OTLP over HTTP, as JSON: each record as a log record, each call as a span under the trace id of its app.',
  syslog: 'One message of RFC 5424 for each record. Over TLS the server has to show a certificate for its name.',
  webhook: 'Lines of JSON, some hundred at a time, signed with a secret that you and the receiver share.',
}

/** A form that was refused comes back with what was switched on. */
const isOn = (form: FormState | undefined, name: string): boolean => form?.values === undefined || form.values[name] === 'on'

const Otlp = ({ form }: Fields) => (
  <>
    <TextField
      name="url"
      type="url"
      label="Address of the collector"
      placeholder="http://localhost:4318"
      form={form}
      required={true}
      mono={true}
      hint="/v1/logs and /v1/traces are added."
    />
    <TextField
      name="header"
      label="Header"
      placeholder="Authorization: Bearer …"
      form={form}
      optional={true}
      mono={true}
      hint="Sent along with each request, and kept sealed here."
    />
    <SwitchField name="logs" label="Logs: every record" on={isOn(form, 'logs')} form={form} />
    <SwitchField name="traces" label="Traces: calls" on={isOn(form, 'traces')} form={form} />
  </>
)
const Webhook = ({ form }: Fields) => (
  <>
    <TextField
      name="url"
      type="url"
      label="Address"
      placeholder="https://"
      form={form}
      required={true}
      mono={true}
      hint="Kept sealed here."
    />
    <TextField
      name="secret"
      type="password"
      label="Secret"
      form={form}
      required={true}
      lengthMin={16}
      lengthMax={200}
      autocomplete="new-password"
      hint="16 characters at least. The header toolpass-signature proves with it that a request is ours."
    />
  </>
)
const Syslog = ({ form }: Fields) => (
  <>
    <TextField name="host" label="Server" placeholder="logs.example.org" form={form} required={true} mono={true} />
    <TextField name="port" type="number" label="Port" value="6514" min={1} max={65_535} form={form} required={true} />
    <SwitchField
      name="secure"
      label="TLS"
      on={isOn(form, 'secure')}
      form={form}
      hint="Without it, records cross the network in the clear. UDP is not offered: it loses messages and says so to nobody."
    />
  </>
)
const FIELDS = { otlp: Otlp, webhook: Webhook, syslog: Syslog } as const

export const TrailForwarderPage = ({ shell, kind, form }: TrailForwarderPageProps) => {
  const Own = FIELDS[kind]
  return (
    <Layout shell={shell} title={`${KIND_WORDS[kind]}, a new receiver`} current="admin">
      <PageHead back={{ href: '/admin/trail', label: 'Trail' }} title={KIND_WORDS[kind]} lead={LEADS[kind]} />
      <Card>
        <form class="stack narrow" method="post" action="/admin/trail/forwarders">
          <input type="hidden" name="kind" value={kind} />
          <FormProblem form={form} />
          <TextField name="name" label="Name" form={form} required={true} lengthMax={60} autofocus={true} hint="What it is called here." />
          <Own form={form} />
          <RadioField
            name="from"
            label="From where"
            value="now"
            form={form}
            options={[
              { value: 'now', label: 'What comes from now on' },
              { value: 'beginning', label: 'What is there already as well' },
            ]}
          />
          <div class="actions">
            <Button tone="primary">Add</Button>
          </div>
        </form>
      </Card>
    </Layout>
  )
}
