/** Connections as they are declared, against those that there are. */
import type { Connection } from '@/connections'
import { isFailure } from '@/lib/failure.ts'
import { type Connector, settingsForm } from '@/plugins'
import type { User } from '@/users'
import { type Change, demandOwner, type Found, type Ground, keyOf, lineOf, roleOf, sameName, sentenceOf, unknownOwner } from './change.ts'
import type { DeclaredConnection, Problem } from './shape.ts'

const SHARING = {
  private: { visibility: 'private', credentialOf: 'owner' },
  open: { visibility: 'open', credentialOf: 'owner' },
  each: { visibility: 'open', credentialOf: 'each' },
} as const
const sharingOf = ({ visibility, credentialOf }: Connection): keyof typeof SHARING =>
  visibility === 'private' ? 'private' : credentialOf === 'each' ? 'each' : 'open'

export async function connectionsOf(ground: Ground): Promise<Found> {
  const found: Found = { changes: [], problems: [] }
  for (const [at, declared] of ground.manifest.connections.entries()) {
    const one = await differenceOf(ground, declared, ['connections', at])
    found.changes.push(...one.changes)
    found.problems.push(...one.problems)
  }
  return found
}

async function differenceOf(ground: Ground, declared: DeclaredConnection, path: Problem['path']): Promise<Found> {
  const { house } = ground
  const refuse = (field: string, message: string): Found => ({ changes: [], problems: [{ path: [...path, field], message }] })
  const connector = house.plugins.connector(declared.connector)
  if (!connector) {
    const ids = house.plugins.connectors().map(({ id }) => id)
    return refuse('connector', `names no connector. There are: ${ids.join(', ')}.`)
  }
  const role = roleOf(ground, declared.owner)
  if (!role) return { changes: [], problems: [unknownOwner([...path, 'owner'], declared.owner)] }
  if (connector.definedBy === 'administrator' && role !== 'admin')
    return refuse('owner', `must be an administrator: ${connector.id} runs programs or code here.`)
  const misplaced = misplacedIn(connector, declared, path)
  if (misplaced.length > 0) return { changes: [], problems: misplaced }
  const owner = ground.users.get(keyOf(declared.owner))
  const known = owner && (await ownOf(ground, owner, declared.name))
  if (!known || !owner) return added(ground, connector, declared, path)
  if (known.connector !== declared.connector)
    return refuse('connector', `cannot be changed: the connection is there as ${known.connector}. Delete it first.`)
  return changed(ground, owner, known, declared, path)
}

/** Only their own: an open one of somebody else may have the same name. */
export async function ownOf({ house }: Ground, owner: User, name: string): Promise<Connection | undefined> {
  return (await house.connections.list(owner)).find((it) => it.ownerId === owner.id && sameName(it.name, name))
}

function misplacedIn(connector: Connector, { settings, secrets }: DeclaredConnection, path: Problem['path']): Problem[] {
  const { properties } = settingsForm(connector)
  const isSecret = (name: string) => (Object.hasOwn(properties, name) ? properties[name]?.secret === true : undefined)
  const plain = Object.keys(settings).flatMap((name): Problem[] => {
    if (isSecret(name) === false) return []
    const message = isSecret(name) ? 'is a secret: it belongs under secrets, by reference.' : `is no setting of ${connector.id}.`
    return [{ path: [...path, 'settings', name], message }]
  })
  const secret = Object.keys(secrets).flatMap((name): Problem[] => {
    if (isSecret(name) === true) return []
    const message = isSecret(name) === false ? 'is no secret: it belongs under settings.' : `is no secret of ${connector.id}.`
    return [{ path: [...path, 'secrets', name], message }]
  })
  return [...plain, ...secret]
}

/** `settings.url` is in the file where it says so; a secret stands under `secrets`. */
function inFile(path: Problem['path'], declared: DeclaredConnection, field: string, message: string): Problem {
  const name = field.replace(/^settings\./, '')
  if (name === field) return { path: [...path, field], message }
  return { path: [...path, Object.hasOwn(declared.secrets, name) ? 'secrets' : 'settings', name], message }
}

function added(ground: Ground, connector: Connector, declared: DeclaredConnection, path: Problem['path']): Found {
  const settings = { ...declared.settings, ...declared.secrets }
  const parsed = connector.settings.safeParse(settings)
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path: at, message }) =>
      inFile(path, declared, `settings.${String(at[0] ?? '')}`, `is not usable: ${message}`),
    )
    return { changes: [], problems }
  }
  const run = async () => {
    const owner = await demandOwner(ground, declared.owner)
    const asked = { ...SHARING[declared.sharing ?? 'private'], name: declared.name, connector: connector.id, settings }
    ground.made.add('connections', (await ground.house.connections.add(owner, asked)).id)
    return []
  }
  const fields = ['connector', ...fieldsOf(declared), 'sharing']
  return { changes: [{ part: 'connections', line: lineOf('+', what(declared), fields), run }], problems: [] }
}

async function changed(
  ground: Ground,
  owner: User,
  known: Connection,
  declared: DeclaredConnection,
  path: Problem['path'],
): Promise<Found> {
  const { connections } = ground.house
  const shared = declared.sharing === undefined ? known : SHARING[declared.sharing]
  const asked = {
    name: declared.name,
    settings: { ...declared.settings, ...declared.secrets },
    visibility: shared.visibility,
    credentialOf: shared.credentialOf,
  }
  try {
    const fields = (await connections.differences(owner, known.id, asked)).map((name) => inFileName(declared, name))
    if (declared.sharing !== undefined && declared.sharing !== sharingOf(known)) fields.push('sharing')
    const run = async () => (await connections.update(owner, known.id, asked), [])
    const change: Change = { part: 'connections', line: lineOf('~', what(declared), fields), run }
    return { changes: fields.length > 0 ? [change] : [], problems: [] }
  } catch (error) {
    if (!isFailure(error, 'invalid_form')) throw error
    const problems = Object.entries(error.fields).map(([field, message]) => inFile(path, declared, field, `is not usable: ${message}`))
    return { changes: [], problems: problems.length > 0 ? problems : [{ path, message: sentenceOf(error) }] }
  }
}

const what = ({ owner, name }: DeclaredConnection) => `connection ${owner}/${name}`
const fieldsOf = ({ settings, secrets }: DeclaredConnection) => [
  ...Object.keys(settings).map((name) => `settings.${name}`),
  ...Object.keys(secrets).map((name) => `secrets.${name}`),
]
const inFileName = ({ secrets }: DeclaredConnection, name: string) =>
  Object.hasOwn(secrets, name.replace(/^settings\./, '')) ? name.replace(/^settings\./, 'secrets.') : name
