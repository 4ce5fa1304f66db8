/** The catalogue: finding a server, and making a connection from its entry. */
import { z } from 'zod'
import { type Catalogue, type Listed, missing, search, settingsOf, titleOf, wayInOf, WAYS_IN, waysOf } from '@/catalogue'
import { type Connections as AllConnections, connectorFor, freeName } from '@/connections'
import { Failure } from '@/lib/failure.ts'
import type { User } from '@/users'
import { CataloguePage } from '@views/catalogue.tsx'
import { CatalogueEntryPage } from '@views/catalogue-entry.tsx'
import type { FormState } from '@views/parts/field.tsx'
import { addedOf, cardOf, entryFacts, sharedBy, SharingField, waysFor } from './catalogue-facts.ts'
import { Field, REFUSED, refused, textsOf } from './forms.ts'
import type { Connection, Page, Plugins } from './needs.ts'

type Deps = Page & {
  catalogue: Pick<Catalogue, 'list' | 'demand'>
  connections: Pick<AllConnections, 'list' | 'add' | 'programs'>
  plugins: Plugins
}
type Seen = { request: Request; user: User }

const PAGE_ENTRIES_MAX = 60

// A filter that makes no sense is none.
const Query = z.object({
  q: z.string().trim().max(200).catch(''),
  way: z.enum(WAYS_IN).optional().catch(undefined),
  page: z.coerce.number().int().min(1).max(10_000).catch(1),
})
type Query = z.output<typeof Query>
// The address of an entry is its name, which holds exactly one slash.
const One = { params: z.object({ space: z.string().max(200), server: z.string().max(200) }) }
const AddForm = z.looseObject({ way: Field, name: Field.optional(), sharing: SharingField })
type AddForm = z.output<typeof AddForm>

export const catalogueRoutes = (deps: Deps) => {
  const { doors, catalogue } = deps
  const demand = ({ space, server }: { space: string; server: string }) => catalogue.demand(`${space}/${server}`)
  return doors
    .member('/catalogue')
    .get('/', ({ query, ...seen }) => list(deps, seen, query), { query: Query })
    .get(
      '/:space/:server',
      async ({ params, query, request, user }) =>
        deps.reply.page(await entryPage(deps, { request, user }, await demand(params), query.way), { cookies: deps.shell.said(request) }),
      { ...One, query: z.object({ way: z.string().max(40).optional() }) },
    )
    .post('/:space/:server', async ({ params, body, ...seen }) => add(deps, seen, await demand(params), body), { ...One, body: AddForm })
}

const ownOf = async ({ connections }: Deps, user: User): Promise<Connection[]> =>
  (await connections.list(user)).filter(({ ownerId }) => ownerId === user.id)

async function list(deps: Deps, { request, user }: Seen, { q, way, page }: Query) {
  const { reply, shell, catalogue } = deps
  const [all, own] = await Promise.all([catalogue.list(), ownOf(deps, user)])
  const worded = search(all, { q })
  const found = way === undefined ? worded : worded.filter(({ entry }) => wayInOf(entry) === way)
  const counted = Map.groupBy(worded, ({ entry }) => wayInOf(entry))
  const start = (page - 1) * PAGE_ENTRIES_MAX
  const hrefOf = (to: number) =>
    `/catalogue?${new URLSearchParams({ ...(q ? { q } : {}), ...(way ? { way } : {}), ...(to > 1 ? { page: String(to) } : {}) })}`
  const shown = (
    <CataloguePage
      shell={shell.full(request, user)}
      cards={found.slice(start, start + PAGE_ENTRIES_MAX).map((listed) => cardOf(listed, own))}
      total={found.length}
      filter={{ q, way }}
      counts={WAYS_IN.map((each) => ({ way: each, count: counted.get(each)?.length ?? 0 }))}
      earlierHref={page > 1 ? hrefOf(page - 1) : undefined}
      laterHref={start + PAGE_ENTRIES_MAX < found.length ? hrefOf(page + 1) : undefined}
    />
  )
  return reply.page(shown, { cookies: shell.said(request) })
}

async function entryPage(deps: Deps, { request, user }: Seen, listed: Listed, wanted: string | undefined, form?: FormState) {
  const { shell, plugins, connections } = deps
  const own = await ownOf(deps, user)
  const ways = waysFor(listed, plugins, await connections.programs.mayDefineAny(user))
  const chosen = ways.find(({ id }) => id === wanted) ?? ways.find(({ problem }) => problem === undefined) ?? ways[0]
  return (
    <CatalogueEntryPage
      shell={shell.full(request, user)}
      entry={entryFacts(listed)}
      ways={ways}
      chosen={chosen}
      name={freeName(
        titleOf(listed.entry),
        own.map(({ name }) => name),
      )}
      added={addedOf(listed.entry.name, own)}
      form={form}
    />
  )
}

const answersOf = (body: AddForm): Record<string, string> =>
  Object.fromEntries(Object.entries(textsOf(body)).flatMap(([name, text]) => (name.startsWith('answer.') ? [[name.slice(7), text]] : [])))

async function add(deps: Deps, seen: Seen, listed: Listed, body: AddForm) {
  const { reply, connections, plugins } = deps
  const { entry } = listed
  const way = waysOf(entry).find(({ id }) => id === body.way)
  if (!way) throw new Failure('entry_not_found', { message: 'This entry has no such way in any more.' })
  const answers = answersOf(body)
  try {
    const unanswered = missing(way, answers).map(({ key, label }) => [`answer.${key}`, `Enter ${label}.`])
    if (unanswered.length > 0) throw new Failure('invalid_form', { fields: Object.fromEntries(unanswered) })
    const made = settingsOf(entry, way.id, answers)
    const connector = made && connectorFor(plugins, made.connector)
    if (!connector) throw new Failure('connector_not_found')
    const own = await ownOf(deps, seen.user)
    const taken = own.map(({ name }) => name)
    const name = body.name?.trim() || freeName(titleOf(entry), taken)
    const asked = { connector: connector.id, name, ...sharedBy(body.sharing), settings: made.settings, catalogueName: entry.name }
    const { id } = await connections.add(seen.user, asked)
    return reply.to(seen.request, `/connections/${id}`)
  } catch (error) {
    const secret = new Set(way.questions.filter(({ isSecret }) => isSecret).map(({ key }) => `answer.${key}`))
    const values = Object.fromEntries(Object.entries(textsOf(body)).filter(([name]) => !secret.has(name)))
    return reply.page(await entryPage(deps, seen, listed, way.id, atTheForm(refused(error, values))), { status: REFUSED })
  }
}

/** What the connector says about settings that this form does not show stands above it. */
function atTheForm({ values = {}, errors = {} }: FormState): FormState {
  const elsewhere = Object.entries(errors).filter(([name]) => name !== 'name' && name !== 'form' && !name.startsWith('answer.'))
  return elsewhere.length === 0 ? { values, errors } : { values, errors: { ...errors, form: elsewhere.map(([, text]) => text).join(' ') } }
}
