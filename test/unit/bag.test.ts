import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { Bag, NOWHERE } from '@/lib/bag.ts'

test('a bag holds what a set would, whatever comes and goes', () => {
  const things = Array.from({ length: 12 }, (_, name) => ({ name, index: NOWHERE }))
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(things.length - 1)), { maxLength: 60 })
  fc.assert(
    fc.property(steps, (of) => {
      const [bag, set] = [new Bag<(typeof things)[number]>(), new Set<(typeof things)[number]>()]
      for (const [isIn, at] of of) {
        const thing = things[at] as (typeof things)[number]
        if (!isIn) bag.delete(thing)
        else if (!set.has(thing)) bag.add(thing)
        if (isIn) set.add(thing)
        else set.delete(thing)
        expect(bag.size).toBe(set.size)
      }
      expect(new Set(bag.all())).toEqual(set)
      for (const thing of bag.all()) bag.delete(thing)
      expect([bag.size, things.every(({ index }) => index === NOWHERE)]).toEqual([0, true])
    }),
  )
})
