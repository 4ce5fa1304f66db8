/**
 * An app that an administrator makes known beforehand.
 * POST /admin/clients — name, redirect_uris (one a line), confidential (on). A confidential one is answered by
 *   `ClientMadePage`, the only place its secret is ever shown.
 * POST /admin/clients/documents — url.
 */
import { Layout, type Shell } from './layout.tsx'
import { Button, LinkButton } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { CopyBlock } from './parts/copy.tsx'
import { FormProblem, type FormState, SwitchField, TextArea, TextField } from './parts/field.tsx'
import { foreign } from './parts/format.ts'
import { Notice } from './parts/notice.tsx'

export type NewClientPageProps = { shell: Shell; form?: FormState | undefined; documentForm?: FormState | undefined }

const BACK = { href: '/admin/clients', label: 'Registered apps' }

const Registration = (p: { form: FormState | undefined }) => (
  <Card title="By hand" lead="For an app that asks you for a client ID, or that you wrote yourself.">
    <form class="stack" method="post" action="/admin/clients">
      <FormProblem form={p.form} />
      <TextField name="name" label="Name" form={p.form} required={true} lengthMax={80} hint="Users see it when the app asks them." />
      <TextArea
        name="redirect_uris"
        label="Where it sends people back to"
        form={p.form}
        mono={true}
        placeholder="https://app.example.com/oauth/callback"
        hint="Redirect URIs, one a line, exactly as the app sends them. For http://localhost any port will do."
      />
      <SwitchField
        name="confidential"
        label="It can keep a secret"
        on={p.form?.values?.['confidential'] === 'on'}
        form={p.form}
        hint="On for an app on a server: it gets a client secret. Off for one on people's computers and phones."
      />
      <div class="actions">
        <Button tone="primary">Register</Button>
      </div>
    </form>
  </Card>
)

const Document = (p: { form: FormState | undefined }) => (
  <Card title="By its metadata document" lead="For an app that names itself by an https address. It is fetched now.">
    <form class="stack" method="post" action="/admin/clients/documents">
      <FormProblem form={p.form} />
      <TextField
        scope="document"
        name="url"
        label="Address of the document"
        type="url"
        mono={true}
        form={p.form}
        required={true}
        placeholder="https://app.example.com/oauth/client.json"
        hint="Its client ID. Apps that have one need no listing, unless only listed apps may ask here."
      />
      <div class="actions">
        <Button>List it</Button>
      </div>
    </form>
  </Card>
)

export const NewClientPage = (p: NewClientPageProps) => (
  <Layout shell={p.shell} title="Register an app" current="admin">
    <PageHead back={BACK} title="Register an app" lead="Most apps register themselves. Here you make one known that cannot, or must not." />
    <div class="columns">
      <Registration form={p.form} />
      <Document form={p.documentForm} />
    </div>
  </Layout>
)

export type ClientMadePageProps = { shell: Shell; client: { id: string; name: string; identifier: string }; secret: string }

export const ClientMadePage = (p: ClientMadePageProps) => (
  <Layout shell={p.shell} title="App registered" current="admin">
    <PageHead back={BACK} title={<bdi>{foreign(p.client.name, 60)}</bdi>} lead="It is registered. Give the app these two." />
    <Notice tone="warning" alert={true} title="This is the only time the secret is shown">
      Toolpass keeps no copy of it. Put it where the app reads it from before you leave this page; when it is lost, register the app anew.
    </Notice>
    <Card>
      <div class="stack">
        <div class="field">
          <h3>Client ID</h3>
          <CopyBlock text={p.client.identifier} label="client ID" />
        </div>
        <div class="field">
          <h3>Client secret</h3>
          <CopyBlock text={p.secret} label="client secret" />
        </div>
        <div class="actions">
          <LinkButton href={`/admin/clients/${p.client.id}`}>I have kept it</LinkButton>
        </div>
      </div>
    </Card>
  </Layout>
)
