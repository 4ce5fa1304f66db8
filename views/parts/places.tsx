/** The pages of one place, side by side under its title. */
type Place = { href: string; label: string }

const Places = (p: { label: string; places: readonly Place[]; current: string }) => (
  <nav class="places" aria-label={p.label}>
    <ul>
      {p.places.map(({ href, label }) => (
        <li>
          <a href={href} aria-current={href === p.current ? 'page' : undefined}>
            {label}
          </a>
        </li>
      ))}
    </ul>
  </nav>
)

const APPS = [
  { href: '/apps', label: 'Connected apps' },
  { href: '/apps/tokens', label: 'Access tokens' },
  { href: '/apps/clients', label: 'Known apps' },
  { href: '/apps/doctor', label: 'Connection doctor' },
] as const
export const AppsPlaces = (p: { current: (typeof APPS)[number]['href'] }) => (
  <Places label="Connected apps" places={APPS} current={p.current} />
)

const CONNECTIONS = [
  { href: '/connections', label: 'Connections' },
  { href: '/connections/accounts', label: 'Accounts' },
] as const
export const ConnectionsPlaces = (p: { current: (typeof CONNECTIONS)[number]['href'] }) => (
  <Places label="Connections" places={CONNECTIONS} current={p.current} />
)

const ACTIVITY = [
  { href: '/activity', label: 'Calls' },
  { href: '/activity/usage', label: 'Usage' },
  { href: '/activity/digest', label: 'Weekly digest' },
] as const
export const ActivityPlaces = (p: { current: (typeof ACTIVITY)[number]['href'] }) => (
  <Places label="Activity" places={ACTIVITY} current={p.current} />
)

const ADMIN = [
  { href: '/admin', label: 'Users' },
  { href: '/admin/clients', label: 'Registered apps' },
  { href: '/admin/catalogue', label: 'Catalogue' },
  { href: '/admin/plugins', label: 'Plugins' },
  { href: '/admin/providers', label: 'Providers' },
  { href: '/admin/programs', label: 'Programs' },
  { href: '/admin/trail', label: 'Trail' },
] as const
export const AdminPlaces = (p: { current: (typeof ADMIN)[number]['href'] }) => (
  <Places label="Administration" places={ADMIN} current={p.current} />
)
