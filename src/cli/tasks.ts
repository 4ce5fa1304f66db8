/** What commands ask of a house, running or not: the same code behind the control socket and at the terminal. */
import type { House } from '@/app.ts'
import { admissionOf } from '@/clients'
import { Failure } from '@/lib/failure.ts'
import { ClientId } from '@/lib/ids.ts'
import { APPLY_TASKS } from './apply/tasks.ts'
import { IMPORT_TASKS } from './import-task.ts'

export type TaskName = keyof typeof TASKS
export type TaskInput = Record<string, string | undefined>

const BY = 'command line'
const demandUser = async ({ users }: House, username = '') => {
  const user = await users.findByName(username)
  if (!user) throw new Failure('user_not_found', { message: `There is no user "${username}".` })
  return user
}

/** By our id, or by what the client calls itself. */
const demandClient = async ({ clients }: House, id = '') => {
  const known = ClientId.safeParse(id)
  const client = (known.success ? await clients.findById(known.data) : undefined) ?? (await clients.find(id))
  if (!client) throw new Failure('client_not_found', { message: `There is no client "${id}".` })
  return client
}

export const TASKS = {
  ...APPLY_TASKS,
  ...IMPORT_TASKS,
  'setup-link': async ({ users }: House) => {
    const link = await users.setUpLink()
    if (!link)
      throw new Failure('already_set_up', {
        message: 'An administrator exists already. "toolpass user reset-password NAME" lets somebody in again.',
      })
    return { path: `/setup?token=${link}` }
  },
  'user-list': async ({ users }: House) => ({
    users: (await users.list()).map(({ username, role, disabledAt }) => ({ username, role, disabled: disabledAt !== null })),
  }),
  'user-add': async ({ users }: House, { username = '', role, password }: TaskInput) => {
    const user = await users.create(BY, { username, role: role === 'admin' ? 'admin' : 'member', ...(password ? { password } : {}) })
    return password ? {} : { path: `/reset?token=${await users.newPasswordLink(BY, user.id)}` }
  },
  'user-reset-password': async (house: House, { username, password }: TaskInput) => {
    const user = await demandUser(house, username)
    if (!password) return { path: `/reset?token=${await house.users.newPasswordLink(BY, user.id)}` }
    await house.users.setPassword(BY, user.id, password)
    return {}
  },
  'user-disable': async (house: House, { username }: TaskInput) => {
    await house.users.disable(BY, (await demandUser(house, username)).id)
    return {}
  },
  'user-enable': async (house: House, { username }: TaskInput) => {
    await house.users.enable(BY, (await demandUser(house, username)).id)
    return {}
  },
  'client-list': async ({ clients, grants }: House) => {
    const [all, usage, policy] = await Promise.all([clients.list(), grants.usageByClient(), clients.policy()])
    const rows = all.map((client) => {
      const { id, identifier, kind, name } = client
      return { id, identifier, kind, name, state: admissionOf(client, policy), apps: usage.get(id)?.live ?? 0 }
    })
    return { clients: rows }
  },
  'client-add': async ({ clients }: House, { name = '', redirects = '', confidential }: TaskInput) => {
    const asked = { name, redirectUris: redirects.split('\n'), confidential: confidential === 'on' }
    const { client, secret } = await clients.preregister(BY, asked)
    return { identifier: client.identifier, secret }
  },
  'client-approve': async (house: House, { id }: TaskInput) => {
    await house.clients.approve(BY, (await demandClient(house, id)).id)
    return {}
  },
  'client-block': async (house: House, { id }: TaskInput) => {
    await house.clients.block(BY, (await demandClient(house, id)).id)
    return {}
  },
  'client-unblock': async (house: House, { id }: TaskInput) => {
    await house.clients.unblock(BY, (await demandClient(house, id)).id)
    return {}
  },
  'client-remove': async (house: House, asked: TaskInput) => {
    const { id } = await demandClient(house, asked['id'])
    const apps = (await house.grants.usageByClient([id])).get(id)?.live ?? 0
    // Its grants first, so that their streams close and each leaves a row in the audit trail.
    await house.grants.revokeForClient(BY, id, 'client_removed')
    await house.clients.remove(BY, id)
    return { apps }
  },
  'plugins-list': async ({ plugins }: House) => ({
    running: plugins.running().map(({ plugin: { id, version, connectors = [] }, folder }) => ({
      id,
      version,
      folder,
      connectors: connectors.map((connector) => connector.id),
    })),
    setAside: plugins.setAside(),
  }),
  'plugins-reload': ({ plugins }: House) => plugins.reload({ userName: BY }),
} satisfies Record<string, (house: House, input: TaskInput) => Promise<Record<string, unknown>>>
