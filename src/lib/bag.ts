/** Where it is in the bag that it is in, which is one at a time. */
export type Bagged = { index: number }
export const NOWHERE = -1

/**
 * Things that come and go with every call. A `Set` would do, but for the collector: each time JavaScriptCore's is packed anew, its old table
 * stays linked to the next. One table that outlives a young collection thereby keeps all that come after it, with whatever was in them, until
 * a full collection, which then comes after every other young one. In no order.
 */
export class Bag<T extends Bagged> {
  private readonly things: T[] = []

  get size(): number {
    return this.things.length
  }
  add(thing: T): void {
    thing.index = this.things.length
    this.things.push(thing)
  }
  /** Nothing happens where it is not in it. */
  delete(thing: T): void {
    const { things } = this
    const { index } = thing
    if (things[index] !== thing) return
    thing.index = NOWHERE
    const last = things.pop() as T
    if (last === thing) return
    things[index] = last
    last.index = index
  }
  /** Those that are in it now, whoever comes or goes while they are looked at. */
  all(): T[] {
    return [...this.things]
  }
}
