/**
 * What administrators add to the catalogue.
 * GET /admin/catalogue — POST /admin/catalogue/load (text, file), /follow (url), /sync (url), /unfollow (url), /remove (name).
 * GET /admin/catalogue/edit — name (of the entry to begin with). POST /admin/catalogue/entry — entry (JSON), replaces.
 */
import { Layout, type Shell } from './layout.tsx'
import { Status } from './parts/badge.tsx'
import { Button, LinkButton } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { Confirm } from './parts/confirm.tsx'
import { Empty } from './parts/empty.tsx'
import { FieldError, FormProblem, type FormState, TextArea, TextField } from './parts/field.tsx'
import { foreign, plural } from './parts/format.ts'
import { Notice } from './parts/notice.tsx'
import { AdminPlaces } from './parts/places.tsx'
import { AgoOr } from './parts/time.tsx'

export type FollowedRegistry = { url: string; syncedAt: number | null; problem: string | null; entries: number }
export type LoadReport = { added: number; kept: readonly string[]; faulty: readonly { name: string; problem: string }[] }
export type CatalogueManagePageProps = {
  shell: Shell
  own: readonly { name: string; title: string }[]
  counts: { shipped: number; own: number; file: number; registry: number }
  registries: readonly FollowedRegistry[]
  /** What came of a list that was just loaded. */
  report?: LoadReport | undefined
  /** A refused form: `load` or `follow`. */
  load?: FormState | undefined
  follow?: FormState | undefined
}

const FAULTS_SHOWN_MAX = 20

const Report = ({ report }: { report: LoadReport }) => (
  <Notice tone={report.faulty.length > 0 ? 'warning' : 'ok'} alert={true} title={`${plural(report.added, 'entry', 'entries')} loaded`}>
    {report.kept.length > 0 && <p>Left as written here: {foreign(report.kept.slice(0, 10).join(', '), 400)}.</p>}
    {report.faulty.length > 0 && (
      <>
        <p>{plural(report.faulty.length, 'entry was', 'entries were')} left out:</p>
        <ul class="plain-list">
          {report.faulty.slice(0, FAULTS_SHOWN_MAX).map(({ name, problem }) => (
            <li>
              <span class="mono break">{foreign(name, 80)}</span>: {foreign(problem, 200)}
            </li>
          ))}
        </ul>
      </>
    )}
  </Notice>
)

const Registry = ({ registry }: { registry: FollowedRegistry }) => (
  <li>
    <div class="row-link">
      <span class="row-title mono break">{foreign(registry.url, 200)}</span>
      <Status tone={registry.problem ? 'danger' : registry.syncedAt ? 'ok' : 'neutral'}>
        {registry.problem ? 'Trouble' : registry.syncedAt ? 'Followed' : 'Not read yet'}
      </Status>
    </div>
    <p class="row-note">
      {plural(registry.entries, 'entry', 'entries')}, read <AgoOr at={registry.syncedAt} none="never" />
    </p>
    {registry.problem && <p class="cell-danger">{foreign(registry.problem, 300)}</p>}
    <div class="actions">
      <form method="post" action="/admin/catalogue/sync">
        <input type="hidden" name="url" value={registry.url} />
        <Button icon="refresh">Read it now</Button>
      </form>
      <Confirm
        place="block"
        label="Stop following"
        confirm="Stop following it"
        action="/admin/catalogue/unfollow"
        fields={{ url: registry.url }}
        question={<>Stop following this registry?</>}
        consequences={[`Its ${plural(registry.entries, 'entry goes', 'entries go')} from the catalogue`, 'Connections made from them stay']}
      />
    </div>
  </li>
)

const FollowForm = (p: { form: FormState | undefined }) => (
  <form class="stack narrow" method="post" action="/admin/catalogue/follow">
    <FormProblem form={p.form} />
    <TextField
      name="url"
      scope="follow"
      type="url"
      label="Address of a registry"
      form={p.form}
      required={true}
      mono={true}
      lengthMax={2048}
      placeholder="https://registry.modelcontextprotocol.io"
    />
    <div class="actions">
      <Button>Follow it</Button>
    </div>
  </form>
)

const Registries = (p: CatalogueManagePageProps) => (
  <Card
    title="Registries"
    lead="Optional. A registry that speaks the MCP registry API is read once an hour at most; nothing else is sent to it."
    flush={p.registries.length > 0}
  >
    {p.registries.length > 0 && (
      <ul class="rows">
        {p.registries.map((registry) => (
          <Registry registry={registry} />
        ))}
      </ul>
    )}
    {p.registries.length > 0 ? (
      <div class="card-foot">
        <FollowForm form={p.follow} />
      </div>
    ) : (
      <FollowForm form={p.follow} />
    )}
  </Card>
)

const LoadCard = (p: CatalogueManagePageProps) => (
  <Card title="Load a file" lead="One server.json, a list of them, or a saved page of a registry; up to 250 KB.">
    <form class="stack narrow" method="post" action="/admin/catalogue/load" enctype="multipart/form-data">
      <FormProblem form={p.load} />
      <div class="field">
        <label for="load-file">File</label>
        <input id="load-file" type="file" name="file" accept=".json,application/json" />
        {p.load?.errors?.['file'] && <FieldError id="load-file-error">{p.load.errors['file']}</FieldError>}
      </div>
      <TextArea name="text" scope="load" label="Or paste it" form={p.load} mono={true} rows={4} optional={true} />
      <div class="actions">
        <Button>Load</Button>
      </div>
    </form>
  </Card>
)

export const CatalogueManagePage = (p: CatalogueManagePageProps) => (
  <Layout shell={p.shell} title="Manage the catalogue" current="admin">
    <PageHead
      title="Manage the catalogue"
      lead={`${plural(p.counts.shipped, 'entry', 'entries')} came with Toolpass. Add your own, for everybody here.`}
      actions={
        <LinkButton href="/admin/catalogue/edit" tone="primary" icon="plus">
          Write an entry
        </LinkButton>
      }
    />
    <AdminPlaces current="/admin/catalogue" />
    {p.report && <Report report={p.report} />}
    <Card title="Your own entries" flush={true}>
      {p.own.length === 0 ? (
        <Empty icon="plug" title="None yet" action={<LinkButton href="/admin/catalogue/edit">Write an entry</LinkButton>}>
          A server of your own, or your own words for one in the catalogue.
        </Empty>
      ) : (
        <ul class="rows">
          {p.own.map(({ name, title }) => (
            <li>
              <a class="row-link" href={`/catalogue/${name}`}>
                <span class="row-title">{foreign(title, 80)}</span>
              </a>
              <p class="row-note mono">{foreign(name, 120)}</p>
            </li>
          ))}
        </ul>
      )}
    </Card>
    <LoadCard {...p} />
    <Registries {...p} />
  </Layout>
)

export type CatalogueEditPageProps = {
  shell: Shell
  /** JSON, indented. */
  entry: string
  /** The own entry that is changed; absent when a new one is written. */
  replaces?: string | undefined
  form?: FormState | undefined
}

export const CatalogueEditPage = (p: CatalogueEditPageProps) => (
  <Layout shell={p.shell} title="Write an entry" current="admin">
    <PageHead
      back={{ href: '/admin/catalogue', label: 'Manage the catalogue' }}
      title={p.replaces ? 'Edit the entry' : 'Write an entry'}
      lead="In the shape of server.json of the MCP registry; how one gets in stands in _meta."
    />
    <Card>
      <form class="stack" method="post" action="/admin/catalogue/entry">
        <FormProblem form={p.form} />
        {p.replaces && <input type="hidden" name="replaces" value={p.replaces} />}
        <TextArea
          name="entry"
          label="Entry"
          form={p.form}
          value={p.entry}
          mono={true}
          rows={24}
          hint="wayIn is open, oauth, oauth-registered, key, local or unknown. A name that is in the catalogue already is hidden by yours."
        />
        <div class="actions">
          <Button tone="primary">Save</Button>
          <LinkButton href="/admin/catalogue" tone="quiet">
            Cancel
          </LinkButton>
        </div>
      </form>
    </Card>
  </Layout>
)
