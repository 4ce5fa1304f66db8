/** Taking over what another program was configured with: read, shown, and only then made. */
import { z } from 'zod'
import { type Connections as AllConnections, type Import, makeFromImport, previewOf, readImport } from '@/connections'
import { Failure } from '@/lib/failure.ts'
import { ImportDonePage, ImportPage, ImportPreviewPage, type ImportVariable } from '@views/import.tsx'
import type { FormState } from '@views/parts/field.tsx'
import { sharedBy, SharingField } from './catalogue-facts.ts'
import { Field, REFUSED, refused, Repeated, repeated, textOrFile, textsOf } from './forms.ts'
import { createHolding } from './import-holding.ts'
import type { Clock, Page, Plugins, Seen } from './needs.ts'

type Deps = Page & { connections: Pick<AllConnections, 'list' | 'add' | 'programs'>; plugins: Plugins; clock: Clock }
type Holding = ReturnType<typeof createHolding>

const PLACE = '/connections/import'
// A text that is too long for a field is told so in a sentence, not as a form that was misshapen.
const Given = z
  .object({
    text: z
      .string()
      .max(1024 * 1024)
      .optional(),
    file: z.unknown().optional(),
  })
  .nullish()
const Chosen = z.looseObject({ token: Field, pick: Repeated(z.string().max(8)), sharing: SharingField })
type Chosen = z.output<typeof Chosen>

export const importRoutes = (deps: Deps) => {
  const { doors, reply, shell, clock } = deps
  const holding = createHolding({ clock })
  return doors
    .member(PLACE)
    .get('/', ({ request, user }) => reply.page(<ImportPage shell={shell.full(request, user)} />, { cookies: shell.said(request) }))
    .post('/', ({ body, ...seen }) => preview(deps, holding, seen, body ?? {}), { body: Given })
    .post('/create', ({ body, ...seen }) => create(deps, holding, seen, body), { body: Chosen })
}

async function preview(deps: Deps, holding: Holding, seen: Seen, given: { text?: string | undefined; file?: unknown }) {
  const { reply, shell } = deps
  try {
    const { text, name } = await textOrFile(given)
    const read = readImport(text)
    if ('problem' in read) throw new Failure('invalid_form', { fields: { [name === undefined ? 'text' : 'file']: read.problem } })
    return reply.page(await previewPage(deps, seen, holding.put(seen.user.id, read), read))
  } catch (error) {
    // What was pasted is not sent back: it may hold keys, and the person has it.
    return reply.page(<ImportPage shell={shell.full(seen.request, seen.user)} form={refused(error)} />, { status: REFUSED })
  }
}

async function previewPage(deps: Deps, { request, user }: Seen, token: string, read: Import, form?: FormState) {
  const { shell, connections, plugins } = deps
  const own = (await connections.list(user)).filter(({ ownerId }) => ownerId === user.id)
  return (
    <ImportPreviewPage
      shell={shell.full(request, user)}
      token={token}
      rows={previewOf(read, own, plugins, await connections.programs.mayDefineAny(user))}
      variables={variablesOf(read)}
      notes={read.notes}
      form={form}
    />
  )
}

async function create(deps: Deps, holding: Holding, seen: Seen, body: Chosen) {
  const { reply, shell } = deps
  const { request, incoming, user } = seen
  const read = holding.find(user.id, body.token)
  if (!read) {
    const text = 'What was read is gone: it was imported already, or too long ago. Paste it again.'
    return reply.to(request, PLACE, { cookies: [reply.notice(incoming, { tone: 'bad', text })] })
  }
  const texts = textsOf(body)
  const picked = [...new Set(repeated(body.pick).map(Number))].filter((at) => read.drafts[at] !== undefined)
  const values = Object.fromEntries(read.variables.map(({ name, value }, at) => [name, texts[`variable.${at}`]?.trim() || (value ?? '')]))
  const open = read.variables.flatMap(({ name }, at) =>
    !values[name] && picked.some((each) => read.drafts[each]?.variables.some((used) => used.name === name)) ? [`variable.${at}`] : [],
  )
  if (open.length > 0 || picked.length === 0) {
    const errors = Object.fromEntries(open.map((name) => [name, 'Fill it in, or untick what uses it.']))
    const form = {
      values: againOf(texts, picked, read),
      errors: { ...errors, ...(picked.length === 0 ? { form: 'Nothing is ticked.' } : {}) },
    }
    return reply.page(await previewPage(deps, seen, body.token, read, form), { status: REFUSED })
  }
  holding.forget(body.token)
  const asked = { picked: picked.map((at) => ({ at, name: texts[`name.${at}`] ?? '' })), values, shared: sharedBy(body.sharing) }
  const { made, refused: not } = await makeFromImport(deps, user, read, asked)
  return reply.page(<ImportDonePage shell={shell.full(request, user)} made={made} refused={not} />)
}

/** What was sent, for the same page again; what may be secret is not. */
function againOf(texts: Record<string, string>, picked: readonly number[], { variables }: Import): Record<string, string> {
  const secret = new Set(variables.flatMap(({ isSecret }, at) => (isSecret ? [`variable.${at}`] : [])))
  const kept = Object.entries(texts).filter(([name]) => /^(name|variable)\.\d+$|^sharing$/.test(name) && !secret.has(name))
  return { ...Object.fromEntries(kept), ...Object.fromEntries(picked.map((at) => [`pick.${at}`, 'on'])) }
}

const variablesOf = ({ variables, drafts }: Import): ImportVariable[] =>
  variables.map(({ name, label, description, value, isSecret }, at) => ({
    ...{ at, label, description, isSecret },
    value: isSecret ? undefined : value,
    usedBy: drafts.filter((draft) => draft.variables.some((each) => each.name === name)).map(({ key }) => key),
  }))
