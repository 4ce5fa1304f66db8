import { admissionOf } from '@/clients'
import { OwnClientsPage } from '@views/own-clients.tsx'
import { isAlive, redirectHostsOf, verificationOf } from './app-facts.ts'
import type { Client, Clients, Clock, Grant, Grants, Page, Registry } from './needs.ts'

type Deps = Page & {
  clients: Clients & Pick<Registry, 'policy' | 'list'>
  grants: Pick<Grants, 'listForUser'>
  clock: Clock
}

/** The clients that somebody let in, and those that they registered for everybody. */
export const ownClientsRoutes = (deps: Deps) => {
  const { doors, reply, shell, clients, grants, clock } = deps
  return doors.member('/apps/clients').get('/', async ({ request, user }) => {
    const granted = Map.groupBy(await grants.listForUser(user.id), (grant) => grant.clientId)
    const found = await Promise.all([...granted.keys()].map((id) => clients.findById(id)))
    const letIn = found.filter((client): client is Client => client !== undefined && client.kind !== 'script')
    const registered =
      user.role === 'admin' ? (await clients.list(user.id)).filter(({ id, kind }) => kind !== 'script' && !granted.has(id)) : []
    const policy = await clients.policy()
    const own = [...letIn, ...registered].map((client) => ({
      name: client.name,
      verification: verificationOf(client),
      state: admissionOf(client, policy),
      redirectHosts: redirectHostsOf(client),
      createdAt: client.createdAt,
      ...usedBy(granted.get(client.id) ?? [], clock()),
    }))
    return reply.page(<OwnClientsPage shell={shell.full(request, user)} clients={own} />, { cookies: shell.said(request) })
  })
}

/** By this user alone: when others use it is theirs to know. */
const usedBy = (granted: readonly Grant[], now: number) => ({
  lastUsedAt: Math.max(0, ...granted.map((grant) => grant.lastUsedAt ?? 0)) || null,
  apps: granted.map((grant) => ({ id: grant.id, label: grant.deviceName || 'device not named', alive: isAlive(grant, now) })),
})
