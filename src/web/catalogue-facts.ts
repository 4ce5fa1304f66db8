/** The catalogue in the words of its pages. */
import { z } from 'zod'
import { type Listed, ownOf, titleOf, type Way, wayInOf, waysOf } from '@/catalogue'
import { connectorFor } from '@/connections'
import type { Connector } from '@/plugins'
import type { CatalogueCard } from '@views/catalogue.tsx'
import type { CatalogueEntryPageProps, EntryWay } from '@views/catalogue-entry.tsx'
import type { Connection, Plugins } from './needs.ts'

/** Who may use a connection, as the forms ask it. */
export const SharingField = z.enum(['private', 'open', 'each']).default('private')
export const sharedBy = (sharing: z.output<typeof SharingField>) => ({
  visibility: sharing === 'private' ? ('private' as const) : ('open' as const),
  credentialOf: sharing === 'each' ? ('each' as const) : ('owner' as const),
})

const ADMINISTRATORS_ONLY = 'It runs a program on the machine of Toolpass. An administrator can add it, or allow you to.'

export const waysFor = ({ entry }: Listed, plugins: Plugins, mayRunPrograms: boolean): EntryWay[] =>
  waysOf(entry).map((way) => {
    const connector = connectorFor(plugins, way.connector)
    return { ...way, connector: connector?.title ?? way.connector, problem: way.problem ?? problemOf(connector, mayRunPrograms) }
  })

function problemOf(connector: Connector | undefined, mayRunPrograms: boolean): string | undefined {
  if (!connector) return 'The connector for it is not installed here.'
  return connector.definedBy === 'administrator' && !mayRunPrograms ? ADMINISTRATORS_ONLY : undefined
}

/** Programs are never started by one click, whoever clicks. */
const isPlain = (way: Way) => !way.runsHere && way.problem === undefined && way.questions.every(({ isRequired }) => !isRequired)

const ONE_CLICK_WAYS = new Set(['open', 'oauth'])

export function cardOf({ entry }: Listed, own: readonly Connection[]): CatalogueCard {
  const [way] = waysOf(entry)
  const wayIn = wayInOf(entry)
  return {
    name: entry.name,
    title: titleOf(entry),
    description: entry.description,
    wayIn,
    place: placeOf(way),
    oneClick: way && ONE_CLICK_WAYS.has(wayIn) && isPlain(way) ? way.id : undefined,
    added: addedOf(entry.name, own),
  }
}

export const addedOf = (name: string, own: readonly Connection[]) =>
  own.filter(({ catalogueName }) => catalogueName === name).map(({ id, name: title }) => ({ id, name: title }))

const placeOf = (way: Way | undefined): string => {
  if (!way) return ''
  return way.runsHere ? way.summary : way.summary.replace(/^https?:\/\//, '').replace(/[/?].*$/, '')
}

const isWebAddress = (address: string | undefined): address is string => /^https?:\/\//.test(address ?? '')

export function entryFacts({ entry, origin, source, seenAt }: Listed): CatalogueEntryPageProps['entry'] {
  const own = ownOf(entry)
  const repository = entry.repository?.url
  const links = [
    ...(entry.websiteUrl ? [{ label: 'Website', href: entry.websiteUrl }] : []),
    ...(repository ? [{ label: 'Source code', href: repository }] : []),
    ...(own?.links ?? []),
  ]
  return {
    name: entry.name,
    title: titleOf(entry),
    description: entry.description,
    version: entry.version,
    wayIn: wayInOf(entry),
    scopes: own?.scopes ?? [],
    links: links.filter(({ href }) => isWebAddress(href)),
    warnings: own?.warnings ?? [],
    checked: own?.checked,
    source: isWebAddress(own?.source) ? own.source : undefined,
    origin,
    from: origin === 'shipped' || origin === 'own' ? undefined : source,
    seenAt,
  }
}
