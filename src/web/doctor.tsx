import { z } from 'zod'
import type { Trace } from '@/audit'
import { kindOfAddress } from '@/lib/addresses.ts'
import type { Outbound } from '@/lib/outbound.ts'
import type { UserId } from '@/lib/ids.ts'
import type { User } from '@/users'
import type { Html } from '@views/jsx-runtime'
import type { AttemptView } from '@views/doctor-attempt.tsx'
import { DoctorCheck, DoctorLive, type DoctorLiveProps, DoctorPage } from '@views/doctor.tsx'
import { type Attempt, attemptsOf, isQuiet, ownPart } from './doctor-attempts.ts'
import { createSelfCheck, type SelfCheck } from './doctor-check.ts'
import { CLIENT_OPTIONS, clientOption, recognised } from './doctor-clients.ts'
import type { Facts } from './doctor-case.ts'
import { diagnose } from './doctor-diagnose.ts'
import { attemptView } from './doctor-show.ts'
import type { Clients, Clock, Mounted, Page, Profiles, Seen } from './needs.ts'
import { reachOf } from './reach.ts'

type Deps = Page &
  Mounted & {
    trace: Pick<Trace, 'since' | 'lastSeq'>
    outbound: Pick<Outbound, 'fetch'>
    config: { url?: URL | undefined; trustedProxies: readonly string[] }
    profiles: Pick<Profiles, 'list'>
    clients: Clients
    users: { find(id: UserId): Promise<Pick<User, 'username'> | undefined> }
    clock: Clock
  }
type Inner = Deps & { check: SelfCheck }

const ATTEMPTS_SHOWN_MAX = 10
/** `/mcp`, whose profile is picked on the consent page. */
const ANY = 'any'

// A choice that makes no sense is none: somebody cut the address short.
const word = z.string().max(64).optional().catch(undefined)
const Query = z.object({ profile: word, client: word })
const LiveQuery = Query.extend({ since: z.coerce.number().int().nonnegative().catch(0), seen: word })
type Chosen = z.infer<typeof Query>

const queryOf = (asked: Record<string, string | number | undefined>): string => {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(asked)) if (value !== undefined && value !== '') query.set(name, String(value))
  return query.size > 0 ? `?${query}` : ''
}

export const doctorRoutes = (deps: Deps) => {
  const { doors, reply, shell, trace, config } = deps
  const inner = { ...deps, check: createSelfCheck(deps) }
  const checkOf = () => ({ publicUrl: config.url && config.url.origin + deps.addresses.base, result: inner.check.last() })
  return doors
    .member('/apps/doctor')
    .get(
      '/',
      async ({ query, ...seen }) => {
        const page = await pageOf(inner, seen, query)
        return reply.page(page, { cookies: shell.said(seen.request) })
      },
      { query: Query },
    )
    .get(
      '/live',
      async ({ query: { since, seen: known, ...chosen }, ...seen }) => {
        const { props, mark } = await liveOf(inner, seen, chosen, since)
        // What did not change is not swapped: folded rows stay open, and nothing is read out again.
        if (known === mark) return new Response(null, { status: 204, headers: { 'cache-control': 'no-store' } })
        return reply.piece(seen.request, <DoctorLive {...props} />, `/apps/doctor${queryOf(chosen)}`)
      },
      { query: LiveQuery },
    )
    .post('/check', async (seen) => {
      await inner.check.run()
      if (seen.request.headers.has('hx-request')) return reply.piece(seen.request, <DoctorCheck {...checkOf()} />, '/apps/doctor')
      return reply.to(seen.request, '/apps/doctor#check')
    })

  async function pageOf(rooms: Inner, seen: Seen, chosen: Chosen): Promise<Html> {
    const { request, incoming, user } = seen
    const own = await rooms.profiles.list(user.id)
    const picked = own.find(({ name }) => name === chosen.profile) ?? (chosen.profile === ANY ? undefined : own[0])
    const client = clientOption(chosen.client)
    const { props } = await liveOf(rooms, seen, chosen, trace.lastSeq())
    const url = `${incoming.origin}${rooms.addresses.base}/mcp${picked ? `/${picked.name}` : ''}`
    return (
      <DoctorPage
        shell={shell.full(request, user)}
        profiles={[
          ...own.map(({ name, title }) => ({ value: name, label: title })),
          { value: ANY, label: 'Any (chosen on the consent page)' },
        ]}
        clients={[{ value: '', label: 'Any app' }, ...CLIENT_OPTIONS]}
        chosen={{ profile: picked?.name ?? ANY, client: client?.id ?? '' }}
        url={url}
        connect={client?.connect({ name: picked?.name ?? 'toolpass', title: picked?.title ?? 'Toolpass', url })}
        beforehand={diagnose([], { ...factsOf(rooms, seen), reaches: client?.reaches, name: client?.name ?? 'The app', state: 'waiting' })}
        hints={client?.hints ?? []}
        live={props}
        check={checkOf()}
        seesAll={user.role === 'admin'}
      />
    )
  }
}

function factsOf({ config, check }: Inner, { request, incoming }: Seen): Omit<Facts, 'state' | 'name' | 'reaches'> {
  const rows = check.last()?.rows
  // A proxy adds this header, and an address of our own network in front of it is the proxy's.
  const isForwarded = request.headers.has('x-forwarded-for') && kindOfAddress(incoming.address) === 'private'
  return {
    origin: incoming.origin,
    reach: reachOf(incoming.origin),
    hasUnknownProxy: isForwarded && config.trustedProxies.length === 0,
    selfCheck: rows && (rows.every(({ verdict }) => verdict === 'ok') ? 'ok' : 'failed'),
  }
}

/** What the reader may see of the trace, newest first. `mark` is the same as long as it would look the same. */
async function liveOf(rooms: Inner, seen: Seen, chosen: Chosen, since: number): Promise<{ props: DoctorLiveProps; mark: string }> {
  const { trace, check, clock } = rooms
  const all = trace.since(0)
  const attempts = attemptsOf(all.filter((entry) => !check.isOurs(entry, all)))
  const reader = { userId: seen.user.id, address: seen.incoming.address }
  const visible = (seen.user.role === 'admin' ? attempts : attempts.flatMap((attempt) => ownPart(attempt, reader) ?? [])).toReversed()
  const now = clock()
  const views = await Promise.all(
    visible
      .filter((attempt) => !isQuiet(attempt))
      .toSorted((a, b) => b.startedAt - a.startedAt)
      .slice(0, ATTEMPTS_SHOWN_MAX)
      .map((attempt) => viewOf(rooms, seen, attempt, now)),
  )
  const quiet = await Promise.all(
    visible
      .filter(isQuiet)
      .slice(0, ATTEMPTS_SHOWN_MAX)
      .map(async (attempt) => ({ app: (await clientOf(rooms, attempt)).app, address: addressOf(attempt), at: attempt.lastAt })),
  )
  const newest = visible.filter((attempt) => !isQuiet(attempt)).some(({ entries }) => entries.some(({ seq }) => seq > since))
  const waitingFor = newest ? undefined : (clientOption(chosen.client)?.name ?? 'your app')
  const shown = { waitingFor, attempts: views, quiet }
  const mark = Bun.hash(JSON.stringify(shown)).toString(36)
  const pageHref = `/apps/doctor${queryOf(chosen)}`
  return { props: { ...shown, pageHref, href: `/apps/doctor/live${queryOf({ ...chosen, since, seen: mark })}` }, mark }
}

const addressOf = ({ entries }: Attempt) => {
  const name = entries.findLast(({ profileName }) => profileName !== undefined)?.profileName
  return name === undefined ? '/mcp' : `/mcp/${name}`
}

async function clientOf({ clients }: Inner, { clientId, entries }: Attempt) {
  const client = clientId && (await clients.findById(clientId))
  const app = client?.name ?? entries.findLast(({ clientName }) => clientName !== undefined)?.clientName ?? ''
  return { app, known: client ? recognised(client) : undefined }
}

async function viewOf(rooms: Inner, seen: Seen, attempt: Attempt, now: number): Promise<AttemptView> {
  const { app, known } = await clientOf(rooms, attempt)
  const others = seen.user.role === 'admin' ? [...attempt.userIds] : []
  const users = await Promise.all(others.map(async (id) => (await rooms.users.find(id))?.username ?? 'somebody who is gone'))
  return attemptView(attempt, now, { ...factsOf(rooms, seen), reaches: known?.reaches }, { app, users })
}
