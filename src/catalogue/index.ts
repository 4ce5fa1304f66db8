/** Servers that can be connected, as they are described by their makers, by registries and by administrators here. */
export { type Catalogue, createCatalogue, type Listed } from './catalogue.ts'
export { type Entry, isEntry, OWN_META, ownOf, readEntry, titleOf, wayInOf, WAYS_IN } from './entry.ts'
export { search } from './search.ts'
export { missing, settingsOf, type Way, waysOf } from './ways.ts'
