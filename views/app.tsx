/**
 * One connected app: who it is, what it may use, what it did.
 * POST /apps/:id — see app-about.tsx; /apps/:id/tools — app-permissions.tsx; /apps/:id/pause and the like — app-access.tsx;
 *   /apps/:id/switch, /switches — app-switch.tsx; /apps/:id/limits — limits.tsx.
 * POST /apps/:id/revoke — nothing else; without `from` it leads back here.
 */
import { type CallRow, CallTable } from './activity.tsx'
import { AppAbout, AppDevice, type AppFacts } from './app-about.tsx'
import { AppAccess, type AppAccessProps, AppPauses, PauseApp } from './app-access.tsx'
import { AppPermissions, type AppPermissionsProps } from './app-permissions.tsx'
import { AppSwitch, type AppSwitchProps } from './app-switch.tsx'
import { AppStatusWord, RevokeConfirm } from './apps.tsx'
import { Layout, type Shell } from './layout.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { Empty } from './parts/empty.tsx'
import type { FormState } from './parts/field.tsx'
import { foreign } from './parts/format.ts'
import { LimitsCard, type LimitsProps } from './limits.tsx'

export type AppPageProps = {
  shell: Shell
  app: AppFacts
  permissions: AppPermissionsProps
  /** Absent for one that has ended. */
  access?: Omit<AppAccessProps, 'app'> | undefined
  /** Where its profile can be switched. */
  profile?: AppSwitchProps | undefined
  calls: readonly CallRow[]
  limits: LimitsProps
  form?: FormState | undefined
}

const Calls = (p: { app: Pick<AppFacts, 'id'>; calls: readonly CallRow[] }) => (
  <Card title="Recent calls" flush={true} actions={p.calls.length > 0 && <a href={`/activity?grant=${p.app.id}`}>All activity</a>}>
    {p.calls.length === 0 ? (
      <Empty icon="activity" title="No calls yet">
        What this app does with its tools will be here.
      </Empty>
    ) : (
      <CallTable calls={p.calls} width="one-app" />
    )}
  </Card>
)

const Revoke = ({ app }: { app: AppFacts }) => (
  <Card
    title="Revoke"
    tone="danger"
    lead={app.script ? 'Ends what the token is good for, wherever it is used.' : "Ends this app's access, here and on its device."}
  >
    <RevokeConfirm app={app} place="block" script={app.script} />
  </Card>
)

export const AppPage = (p: AppPageProps) => {
  const client = foreign(p.app.client, 60)
  const alive = p.app.status === 'active' || p.app.status === 'paused'
  return (
    <Layout shell={p.shell} title={client} current="apps">
      <PageHead
        back={p.app.script ? { href: '/apps/tokens', label: 'Access tokens' } : { href: '/apps', label: 'Connected apps' }}
        title={<bdi>{client}</bdi>}
        badge={<AppStatusWord status={p.app.status} />}
        lead={p.app.device && <bdi>{foreign(p.app.device)}</bdi>}
        actions={p.access && <PauseApp app={p.app} />}
      />
      {p.access && <AppPauses app={p.app} pauses={p.access.pauses} />}
      <div class="split">
        <div class="stack">
          <AppPermissions {...p.permissions} />
          <Calls app={p.app} calls={p.calls} />
        </div>
        <div class="stack">
          {p.access && <AppAccess app={p.app} {...p.access} />}
          {p.profile && <AppSwitch {...p.profile} />}
          <AppAbout app={p.app} />
          {!p.app.script && <AppDevice app={p.app} form={p.form} />}
          {alive && <LimitsCard {...p.limits} />}
          {alive && <Revoke app={p.app} />}
        </div>
      </div>
    </Layout>
  )
}
