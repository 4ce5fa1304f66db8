/**
 * Who one app is: what it is known by, when and from where it was used, and what its user calls the install.
 * POST /apps/:id — device_name (may be empty).
 */
import type { AppSummary } from './apps.tsx'
import { Button } from './parts/button.tsx'
import { Card, Facts } from './parts/card.tsx'
import { type FormState, TextField } from './parts/field.tsx'
import { foreign } from './parts/format.ts'
import { Ago, AgoOr } from './parts/time.tsx'

export type AppFacts = AppSummary & {
  profileId: string
  /** Where codes go: the host, or the scheme of an app's own addresses. */
  redirectHost: string
  /** How the client is known, in words ("metadata document at claude.ai", "registered itself"). */
  verification: string
  /** An access token that its user made for a script, not an app that asked. */
  script: boolean
  firstUsedAt: number | null
  /** The networks it came from, the latest first. */
  networks: readonly string[]
}

const Networks = (p: { networks: readonly string[] }) =>
  p.networks.length === 0 ? (
    <span class="muted">not known yet</span>
  ) : (
    <ul>
      {p.networks.map((network) => (
        <li>
          <code class="break">{network}</code>
        </li>
      ))}
    </ul>
  )

export const AppAbout = ({ app }: { app: AppFacts }) => (
  <Card title="About">
    <Facts
      items={[
        ['Profile', <a href={`/profiles/${app.profileId}`}>{foreign(app.profile)}</a>],
        ['Name', app.verification],
        ...(app.script ? [] : [['Sends you back to', <code class="break">{foreign(app.redirectHost, 120)}</code>] as const]),
        [app.script ? 'Made' : 'Let in', <Ago at={app.createdAt} />],
        ['First used', <AgoOr at={app.firstUsedAt} none="never" />],
        ['Last used', <AgoOr at={app.lastUsedAt} none="never" />],
        ['From', <Networks networks={app.networks} />],
        ['Ends', <AgoOr at={app.expiresAt} none="when revoked" />],
      ]}
    />
  </Card>
)

export const AppDevice = (p: { app: AppFacts; form: FormState | undefined }) => (
  <Card title="Device">
    <form class="stack" method="post" action={`/apps/${p.app.id}`}>
      <TextField
        name="device_name"
        label="Name of the device"
        value={p.app.device}
        form={p.form}
        optional={true}
        lengthMax={60}
        placeholder="Work laptop"
        hint="Tells this install from others of the same app."
      />
      <div class="actions">
        <Button>Save name</Button>
      </div>
    </form>
  </Card>
)
