import type { ConnectionId, UserId } from '@/lib/ids.ts'
import { Failure } from '@/lib/failure.ts'
import { type JsonObject, type Plugins, splitSettings } from '@/plugins'
import type { User } from '@/users'
import { type Connection, isEmpty } from './rows.ts'

type Deps = {
  plugins: Pick<Plugins, 'connector'>
  credentials: { find(id: ConnectionId, userId: UserId): Promise<JsonObject> }
  rows: { demandOwn(user: Pick<User, 'id' | 'role'>, id: ConnectionId): Promise<Connection> }
}
type Asked = { name: string; settings: JsonObject }

/** What an update would change, by the names of the fields: whether a secret differs can be told, what it is cannot. */
export function createComparing({ plugins, credentials, rows }: Deps) {
  return {
    /** @throws Failure `invalid_form` where the update would be refused */
    async differences(user: User, id: ConnectionId, asked: Asked): Promise<string[]> {
      const known = await rows.demandOwn(user, id)
      const connector = plugins.connector(known.connector)
      if (!connector) throw new Failure('connector_not_found')
      const held = await credentials.find(id, known.ownerId)
      const given = splitSettings(connector, asked.settings)
      // As in an update: a secret that is left out is kept.
      const kept = Object.fromEntries(Object.entries(given.secret).filter(([, value]) => !isEmpty(value)))
      const parsed = connector.settings.safeParse({ ...given.plain, ...held, ...kept })
      if (!parsed.success) {
        const fields = parsed.error.issues.map(({ path, message }) => [`settings.${String(path[0] ?? '')}`, message] as const)
        throw new Failure('invalid_form', { fields: Object.fromEntries(fields) })
      }
      const { plain, secret } = splitSettings(connector, parsed.data)
      const settings = [...differing(splitSettings(connector, known.settings).plain, plain), ...differing(held, secret)]
      return [...(asked.name === known.name ? [] : ['name']), ...settings.map((name) => `settings.${name}`)]
    },
  }
}

const differing = (before: JsonObject, after: JsonObject): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => !(isEmpty(before[name]) && isEmpty(after[name])) && !Bun.deepEquals(before[name], after[name], false),
  )
