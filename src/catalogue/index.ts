/** Servers that can be connected, as they are described by their makers, by registries and by administrators here. */
export { type Catalogue, createCatalogue, type Listed, type Loaded } from './catalogue.ts'
export { type Entry, isEntry, OWN_META, ownOf, readEntry, titleOf, wayInOf, WAYS_IN, type WayIn } from './entry.ts'
export type { Source } from './sources.ts'
export { search } from './search.ts'
export { missing, settingsOf, type Way, waysOf } from './ways.ts'
