/** What commands ask of a house, running or not: the same code behind the control socket and at the terminal. */
import type { House } from '@/app.ts'
import { Failure } from '@/lib/failure.ts'

export type TaskName = keyof typeof TASKS
export type TaskInput = Record<string, string | undefined>

const BY = 'command line'
const demandUser = async ({ users }: House, username = '') => {
  const user = await users.findByName(username)
  if (!user) throw new Failure('user_not_found', { message: `There is no user "${username}".` })
  return user
}

export const TASKS = {
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
} satisfies Record<string, (house: House, input: TaskInput) => Promise<Record<string, unknown>>>
