/** What administrators add to the catalogue: entries of their own, a file, registries. */
import { z } from 'zod'
import { type Catalogue, OWN_META, titleOf } from '@/catalogue'
import { isFailure } from '@/lib/failure.ts'
import { CatalogueEditPage, CatalogueManagePage, type LoadReport } from '@views/catalogue-manage.tsx'
import type { FormState } from '@views/parts/field.tsx'
import { Field, REFUSED, refused, textOrFile } from './forms.ts'
import type { Page, Seen } from './needs.ts'

type Deps = Page & { catalogue: Catalogue }
type More = { report?: LoadReport; load?: FormState; follow?: FormState }

const PLACE = '/admin/catalogue'
const Load = z.object({ text: Field.optional(), file: z.unknown().optional() }).nullish()
const Url = { body: z.object({ url: Field }) }

const TEMPLATE = {
  name: 'com.example/server',
  title: 'Our server',
  description: 'What one does with it, in a line.',
  version: '1.0.0',
  remotes: [{ type: 'streamable-http', url: 'https://mcp.example.com/mcp' }],
  _meta: { [OWN_META]: { wayIn: 'oauth', warnings: [] } },
}

export const catalogueManageRoutes = (deps: Deps) => {
  const { doors, reply, shell, catalogue } = deps
  return doors
    .admin(PLACE)
    .get('/', async (seen) => reply.page(await managePage(deps, seen), { cookies: shell.said(seen.request) }))
    .get('/edit', ({ query, ...seen }) => edit(deps, seen, query.name), { query: z.object({ name: z.string().max(400).optional() }) })
    .post('/entry', ({ body, ...seen }) => save(deps, seen, body), {
      body: z.object({ entry: Field.default(''), replaces: Field.optional() }),
    })
    .post('/load', ({ body, ...seen }) => load(deps, seen, body ?? {}), { body: Load })
    .post('/follow', ({ body: { url }, ...seen }) => follow(deps, seen, url), Url)
    .post('/sync', ({ body: { url }, ...seen }) => sync(deps, seen, url), Url)
    .post(
      '/unfollow',
      async ({ body: { url }, ...seen }) => {
        await catalogue.unfollow(seen.user, url)
        return said(deps, seen, PLACE, 'It is not followed any more.')
      },
      Url,
    )
    .post(
      '/remove',
      async ({ body: { name }, ...seen }) => {
        await catalogue.remove(seen.user, name)
        return said(deps, seen, '/catalogue', 'The entry is removed.')
      },
      { body: z.object({ name: Field }) },
    )
}

const said = ({ reply }: Deps, { request, incoming }: Seen, path: string, text: string, tone: 'good' | 'bad' = 'good') =>
  reply.to(request, path, { cookies: [reply.notice(incoming, { tone, text: text.slice(0, 300) })] })

async function managePage({ shell, catalogue }: Deps, { request, user }: Seen, more: More = {}) {
  const [listed, sources] = await Promise.all([catalogue.list(), catalogue.sources()])
  const count = (origin: string) => listed.filter((each) => each.origin === origin).length
  return (
    <CatalogueManagePage
      shell={shell.full(request, user)}
      own={listed.filter(({ origin }) => origin === 'own').map(({ entry }) => ({ name: entry.name, title: titleOf(entry) }))}
      counts={{ shipped: count('shipped'), own: count('own'), file: count('file'), registry: count('registry') }}
      registries={sources.map(({ url, syncedAt, problem }) => ({
        ...{ url, syncedAt, problem },
        entries: listed.filter(({ origin, source }) => origin === 'registry' && source === url).length,
      }))}
      {...more}
    />
  )
}

async function edit(deps: Deps, { request, user }: Seen, name: string | undefined) {
  const { reply, shell, catalogue } = deps
  const known = name === undefined ? undefined : await catalogue.demand(name)
  const entry = JSON.stringify(known?.entry ?? TEMPLATE, null, 2)
  const replaces = known?.origin === 'own' ? known.entry.name : undefined
  return reply.page(<CatalogueEditPage shell={shell.full(request, user)} entry={entry} replaces={replaces} />)
}

async function save(deps: Deps, seen: Seen, { entry: text, replaces }: { entry: string; replaces?: string | undefined }) {
  const { reply, shell, catalogue } = deps
  try {
    const { name } = await catalogue.put(seen.user, text, replaces)
    return said(deps, seen, `/catalogue/${name}`, 'Saved. Everybody here finds it in the catalogue.')
  } catch (error) {
    const form = refused(error, { entry: text })
    const page = <CatalogueEditPage shell={shell.full(seen.request, seen.user)} entry={text} replaces={replaces} form={form} />
    return reply.page(page, { status: REFUSED })
  }
}

async function load(deps: Deps, seen: Seen, body: { text?: string | undefined; file?: unknown }) {
  const { reply, catalogue } = deps
  try {
    const { text, name } = await textOrFile(body)
    const report = await catalogue.load(seen.user, text, name ?? 'pasted here')
    return reply.page(await managePage(deps, seen, { report }))
  } catch (error) {
    return reply.page(await managePage(deps, seen, { load: refused(error) }), { status: REFUSED })
  }
}

async function follow(deps: Deps, seen: Seen, url: string) {
  const { reply, catalogue } = deps
  try {
    const source = await catalogue.follow(seen.user, url)
    return sync(deps, seen, source.url)
  } catch (error) {
    return reply.page(await managePage(deps, seen, { follow: refused(error, { url }) }), { status: REFUSED })
  }
}

/** Read while the administrator waits; what goes wrong stays written beside the registry. */
async function sync(deps: Deps, seen: Seen, url: string) {
  try {
    const count = await deps.catalogue.syncNow(url)
    return said(deps, seen, PLACE, count === 0 ? 'There was nothing new.' : `Entries read: ${count}.`)
  } catch (error) {
    if (!isFailure(error, 'upstream_failed') && !isFailure(error, 'slow_down')) throw error
    return said(deps, seen, PLACE, `It was not read. ${error.message}`, 'bad')
  }
}
