/** What `toolpass import` asks of a house. */
import type { House } from '@/app.ts'
import { makeFromImport, previewOf, readImport } from '@/connections'
import { Failure } from '@/lib/failure.ts'
import type { User } from '@/users'
import { z } from 'zod'

type Input = Record<string, string | undefined>

const Values = z.record(z.string(), z.string())

export const IMPORT_TASKS = {
  import: async (house: House, { text = '', username, values = '{}', dryRun }: Input) => {
    const user = await userFor(house, username)
    const read = readImport(text)
    if ('problem' in read) throw new Failure('invalid_form', { message: read.problem })
    const given = Values.parse(JSON.parse(values))
    const filled = Object.fromEntries(read.variables.map(({ name, value }) => [name, given[name] ?? value ?? '']))
    const own = (await house.connections.list(user)).filter(({ ownerId }) => ownerId === user.id)
    const rows = previewOf(read, own, house.plugins, await house.connections.programs.mayDefineAny(user)).map((row) => ({
      ...row,
      missing: (read.drafts[row.at]?.variables ?? []).flatMap(({ name }) => (filled[name] ? [] : [name])),
    }))
    if (dryRun === 'on') return { rows, made: [], refused: [] }
    const picked = rows.filter((row) => row.picked).map(({ at, name }) => ({ at, name }))
    const shared = { visibility: 'private', credentialOf: 'owner' } as const
    const { made, refused } = await makeFromImport(house, user, read, { picked, values: filled, shared })
    return { rows, made: made.map(({ name }) => name), refused }
  },
}

/** The one who is named, or the only one there is. */
async function userFor({ users }: House, username: string | undefined): Promise<User> {
  const all = await users.list()
  const [only] = all
  if (username === undefined && all.length > 1) throw new Failure('user_not_found', { message: 'For whom? Name one with --user.' })
  const user = username === undefined ? only && (await users.find(only.id)) : await users.findByName(username)
  if (!user) throw new Failure('user_not_found', { message: username ? `There is no user "${username}".` : 'There is no user yet.' })
  return user
}
