/** The one file of data: opened, locked, migrated; read by anyone, written in `transact` alone. */
export { openKeys, type Sealer } from './sealed.ts'
export { createTextIndex, type TextIndex } from './text-index.ts'
export { openStore, type SqlValue, type Store, type Writer } from './open.ts'
export * from './tables/index.ts'
