/**
 * Services that people here can have accounts at; for administrators only.
 * POST /admin/providers/:id — settings.<key> (an empty secret is kept).
 * POST /admin/providers/:id/remove — nothing else.
 */
import { Layout, type Shell } from './layout.tsx'
import { Status } from './parts/badge.tsx'
import { Button, LinkButton } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { Confirm } from './parts/confirm.tsx'
import { CopyBlock } from './parts/copy.tsx'
import { FormProblem, type FormState } from './parts/field.tsx'
import { foreign, plural } from './parts/format.ts'
import { Notice } from './parts/notice.tsx'
import { AdminPlaces } from './parts/places.tsx'
import { SettingsFields, type SettingsSchema } from './settings-form.tsx'
import { ActionsHead } from './parts/table.tsx'

export type ProviderSummary = { id: string; title: string; description: string; isSetUp: boolean; accounts: number }
export type ProvidersPageProps = { shell: Shell; providers: readonly ProviderSummary[] }

const Row = ({ provider }: { provider: ProviderSummary }) => (
  <tr>
    <td class="cell-main">
      <a class="strong break" href={`/admin/providers/${provider.id}`}>
        <bdi>{foreign(provider.title, 60)}</bdi>
      </a>
      <p class="cell-note">{foreign(provider.description, 200)}</p>
    </td>
    <td>{provider.isSetUp ? <Status tone="ok">Set up</Status> : <Status tone="neutral">Not set up</Status>}</td>
    <td class="number" data-label="Accounts">
      {provider.accounts}
    </td>
    <td class="cell-actions">
      <LinkButton href={`/admin/providers/${provider.id}`} tone="quiet">
        {provider.isSetUp ? 'Change' : 'Set up'}
      </LinkButton>
    </td>
  </tr>
)

export const ProvidersPage = (p: ProvidersPageProps) => (
  <Layout shell={p.shell} title="Providers" current="admin">
    <PageHead
      title="Providers"
      lead="Services where people sign in once and connect the account to as many connections as they like. Each needs a client that you register there."
    />
    <AdminPlaces current="/admin/providers" />
    <Card flush={true}>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Provider</th>
            <th scope="col">Status</th>
            <th scope="col" class="number">
              Accounts
            </th>
            <ActionsHead />
          </tr>
        </thead>
        <tbody>
          {p.providers.map((provider) => (
            <Row provider={provider} />
          ))}
        </tbody>
      </table>
    </Card>
  </Layout>
)

export type ProviderPageProps = {
  shell: Shell
  provider: ProviderSummary & { registerAt?: string | undefined }
  /** What has to be entered as redirect URI over there. */
  callback: string
  schema: SettingsSchema
  saved: Readonly<Record<string, string>>
  sealed: readonly string[]
  form?: FormState | undefined
}

const Remove = ({ provider }: Pick<ProviderPageProps, 'provider'>) => (
  <Card title="Remove this provider" tone="danger" lead="The client that you registered over there stays; delete it there.">
    <Confirm
      label="Remove provider"
      confirm={`Remove ${foreign(provider.title, 60)}`}
      icon="trash"
      action={`/admin/providers/${provider.id}/remove`}
      question={
        <>
          Remove <strong>{foreign(provider.title, 60)}</strong>?
        </>
      }
      consequences={[
        'The client secret is destroyed',
        provider.accounts === 0 ? 'Nobody has an account there' : `${plural(provider.accounts, 'account')} of people here are signed out`,
        'Connections that use such an account stop working',
      ]}
    />
  </Card>
)

export const ProviderPage = (p: ProviderPageProps) => (
  <Layout shell={p.shell} title={foreign(p.provider.title, 60)} current="admin">
    <PageHead
      back={{ href: '/admin/providers', label: 'Providers' }}
      title={<bdi>{foreign(p.provider.title, 60)}</bdi>}
      badge={p.provider.isSetUp ? <Status tone="ok">Set up</Status> : <Status tone="neutral">Not set up</Status>}
      lead={foreign(p.provider.description, 300)}
    />
    <Card title="1. Register Toolpass there">
      <div class="stack">
        <p>
          Make an OAuth client
          {p.provider.registerAt && (
            <>
              {' '}
              at{' '}
              <a href={p.provider.registerAt} target="_blank" rel="noreferrer">
                {new URL(p.provider.registerAt).host}
              </a>
            </>
          )}{' '}
          and enter this address as its redirect URI (also called callback URL):
        </p>
        <CopyBlock text={p.callback} label="redirect URI" />
      </div>
    </Card>
    <Card title="2. Enter the client here">
      <form class="stack narrow" method="post" action={`/admin/providers/${p.provider.id}`}>
        <FormProblem form={p.form} />
        {p.provider.accounts > 0 && (
          <Notice tone="warning">
            With another client id or other addresses, {plural(p.provider.accounts, 'account')} of people here will be signed out, and the
            secret has to be entered again.
          </Notice>
        )}
        <SettingsFields schema={p.schema} saved={p.saved} sealed={p.sealed} form={p.form} />
        <div class="actions">
          <Button tone="primary">Save</Button>
          <LinkButton href="/admin/providers" tone="quiet">
            Cancel
          </LinkButton>
        </div>
      </form>
    </Card>
    {p.provider.isSetUp && <Remove provider={p.provider} />}
  </Layout>
)
