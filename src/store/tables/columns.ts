/** Column shapes that every table shares, so that a time is always milliseconds and an id is always branded. */
import { integer, text } from 'drizzle-orm/sqlite-core'

/** Milliseconds since 1970. */
export const at = (name: string) => integer(name, { mode: 'number' })
export const id = <Id extends string>(name: string) => text(name).$type<Id>()
export const json = <Value>(name: string) => text(name, { mode: 'json' }).$type<Value>()
