/**
 * The document around each page. `Layout` is for people who are signed in, `Bare` for the pages at the door (set-up,
 * sign-in, consent, errors). Neither writes the doctype: the reply does, in front of the text.
 */
import type { Child } from './jsx-runtime.ts'
import { Icon, type IconName } from './parts/icon.tsx'
import { Brand } from './parts/logo.tsx'
import { PausedBy, type PausedWith, Resume } from './parts/paused.tsx'
import { type ToastMessage, Toasts } from './parts/toast.tsx'

/** Addresses of the files as they are served, with the hash of their content in the name. */
export type Assets = { css: string; js: string; htmx: string; icon?: string | undefined }
export type Theme = 'light' | 'dark'
export type Viewer = { username: string; role: 'admin' | 'member' }

/** What a page at the door gets. Without `theme` it follows the system. */
export type BareShell = { assets: Assets; theme?: Theme | undefined; toasts?: readonly ToastMessage[] | undefined }
/** What every other page gets. */
export type Shell = BareShell & {
  viewer: Viewer
  /** How many calls wait for this user. */
  waiting?: number | undefined
  /** All apps of the viewer are paused, by themselves or by an administrator. */
  paused?: PausedWith | undefined
}

export type NavPlace = 'home' | 'profiles' | 'connections' | 'catalogue' | 'apps' | 'approvals' | 'activity' | 'settings' | 'admin'

type Entry = { place: NavPlace; href: string; label: string; icon: IconName }
const ENTRIES: readonly Entry[] = [
  { place: 'home', href: '/', label: 'Home', icon: 'house' },
  { place: 'profiles', href: '/profiles', label: 'Profiles', icon: 'layers' },
  { place: 'connections', href: '/connections', label: 'Connections', icon: 'plug' },
  { place: 'catalogue', href: '/catalogue', label: 'Catalogue', icon: 'library' },
  { place: 'apps', href: '/apps', label: 'Connected apps', icon: 'app-window' },
  { place: 'approvals', href: '/approvals', label: 'Approvals', icon: 'hand' },
  { place: 'activity', href: '/activity', label: 'Activity', icon: 'activity' },
]
const SETTINGS: Entry = { place: 'settings', href: '/settings', label: 'Settings', icon: 'settings' }
const ADMIN: Entry = { place: 'admin', href: '/admin', label: 'Administration', icon: 'users' }

/**
 * htmx swaps any answer by default, an error page into the middle of a list as well. So only a refused form (422) is
 * swapped; of other errors `toolpass.js` tells in a toast. Inheritance is explicit in htmx 4.
 */
const SWAP_ONLY_ANSWERS = {
  'hx-status:422:inherited': 'swap:outerHTML',
  'hx-status:4xx:inherited': 'swap:none',
  'hx-status:5xx:inherited': 'swap:none',
}

const Document = (p: { shell: BareShell; title: string; kind: string; htmx: boolean; refresh?: string | undefined; children: Child }) => (
  <html lang="en" data-theme={p.shell.theme}>
    <head>
      <meta charset="utf-8" />
      <title>{`${p.title} · Toolpass`}</title>
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content={p.shell.theme ?? 'light dark'} />
      {p.refresh !== undefined && <meta http-equiv="refresh" content={`0; url=${p.refresh}`} />}
      <meta name="robots" content="noindex" />
      {p.shell.assets.icon && <link rel="icon" type="image/svg+xml" href={p.shell.assets.icon} />}
      <link rel="stylesheet" href={p.shell.assets.css} />
      {p.htmx && <script src={p.shell.assets.htmx} defer={true} />}
      <script src={p.shell.assets.js} defer={true} />
    </head>
    <body class={p.kind} {...(p.htmx ? SWAP_ONLY_ANSWERS : {})}>
      <a class="skip" href="#main">
        Skip to content
      </a>
      {p.children}
    </body>
  </html>
)

/** Also the reply to GET /approvals/count. Stands there empty as well, to find out when it has something to say. */
export const WaitingCount = (p: { waiting: number }) => (
  <span class="nav-count" hx-get="/approvals/count" hx-trigger="every 10s, decided from:body" hx-swap="outerHTML" hidden={p.waiting === 0}>
    {p.waiting}
    <span class="hidden-text"> waiting</span>
  </span>
)

const NavLink = (p: { entry: Entry; current: NavPlace | undefined; children?: Child }) => (
  <li>
    <a href={p.entry.href} aria-current={p.entry.place === p.current ? 'page' : undefined}>
      <Icon name={p.entry.icon} />
      <span>{p.entry.label}</span>
      {p.children}
    </a>
  </li>
)

const NavLists = (p: { shell: Shell; current: NavPlace | undefined }) => (
  <>
    <ul>
      {ENTRIES.map((entry) => (
        <NavLink entry={entry} current={p.current}>
          {entry.place === 'approvals' && <WaitingCount waiting={p.shell.waiting ?? 0} />}
        </NavLink>
      ))}
    </ul>
    <ul class="nav-second">
      {p.shell.viewer.role === 'admin' && <NavLink entry={ADMIN} current={p.current} />}
      <NavLink entry={SETTINGS} current={p.current} />
    </ul>
  </>
)

const UserMenu = (p: { viewer: Viewer }) => (
  <div class="user-menu">
    <span class="avatar" aria-hidden="true">
      {([...p.viewer.username][0] ?? '?').toUpperCase()}
    </span>
    <span class="user-menu-name">
      <span class="cut">{p.viewer.username}</span>
      <span class="muted">{p.viewer.role === 'admin' ? 'Administrator' : 'Member'}</span>
    </span>
    <form method="post" action="/logout">
      <button class="icon-button" type="submit" title="Sign out" aria-label="Sign out">
        <Icon name="log-out" />
      </button>
    </form>
  </div>
)

const PAUSED_TITLES: Partial<Record<PausedWith['kind'], string>> = {
  everything: 'Everything is paused.',
  user: 'Your apps are paused by an administrator.',
}

/** On every page while it lasts: what an app is refused for must not have to be looked for. */
const PausedBanner = (p: { by: PausedWith; viewer: Viewer }) => {
  const mayResume = p.by.own || (p.by.kind === 'everything' && p.viewer.role === 'admin')
  return (
    <div class="paused-banner tone-warning">
      <Icon name="pause" />
      <p>
        <strong>{p.by.own ? 'All your apps are paused.' : PAUSED_TITLES[p.by.kind]}</strong>{' '}
        <span class="nowrap">
          <PausedBy by={p.by} />.
        </span>{' '}
        {p.by.own || p.by.kind === 'user' ? 'Whatever they ask for is refused.' : 'Whatever any app asks for is refused.'}
      </p>
      {mayResume && <Resume action={p.by.own ? '/apps/resume' : '/admin/resume'} label={p.by.own ? 'Resume' : 'Resume everything'} />}
    </div>
  )
}

export const Layout = (p: { shell: Shell; title: string; current?: NavPlace | undefined; children: Child }) => (
  <Document shell={p.shell} title={p.title} kind="app" htmx={true}>
    {/* The navigation stands here twice, once for each width; CSS takes one of them away, for screen readers as well. */}
    <header class="topbar">
      <a class="home-link" href="/">
        <Brand />
      </a>
      <details class="menu" data-closes={true}>
        <summary class="button button-quiet">
          <Icon name="menu" />
          <span>Menu</span>
          <WaitingCount waiting={p.shell.waiting ?? 0} />
        </summary>
        <nav class="nav" aria-label="Main">
          <NavLists shell={p.shell} current={p.current} />
          <UserMenu viewer={p.shell.viewer} />
        </nav>
      </details>
    </header>
    <div class="sidebar">
      <a class="home-link" href="/">
        <Brand />
      </a>
      <nav class="nav" aria-label="Main">
        <NavLists shell={p.shell} current={p.current} />
      </nav>
      <UserMenu viewer={p.shell.viewer} />
    </div>
    <main id="main" class="page" tabindex="-1">
      <Toasts messages={p.shell.toasts ?? []} />
      {p.shell.paused && <PausedBanner by={p.shell.paused} viewer={p.shell.viewer} />}
      {p.children}
    </main>
  </Document>
)

/** No navigation and no htmx: these pages are plain forms, and consent must be one (its answer leaves the house). */
/** `refresh` is an address to go on to at once, on this site or another. */
export const Bare = (p: { shell: BareShell; title: string; wide?: boolean | undefined; refresh?: string | undefined; children: Child }) => (
  <Document shell={p.shell} title={p.title} kind={p.wide ? 'bare bare-wide' : 'bare'} htmx={false} refresh={p.refresh}>
    <header class="bare-brand">
      <Brand />
    </header>
    <main id="main" tabindex="-1">
      <Toasts messages={p.shell.toasts ?? []} />
      {p.children}
    </main>
  </Document>
)
