import { describe, expect, test } from 'bun:test'
import { within } from '@/lib/deadlines.ts'

const late = () => new Error('late')
const never = new Promise<never>(() => undefined)

describe('what is waited for within a time', () => {
  test('comes as it is, or fails as it does', async () => {
    expect(await within(1_000, Promise.resolve(1), late)).toBe(1)
    await expect(within(1_000, Promise.reject(new Error('its own')), late)).rejects.toThrow('its own')
  })
  test('is given up when its time is over, each at its own', async () => {
    const order: string[] = []
    const giveUp = (name: string, msMax: number) => within(msMax, never, late).catch(() => order.push(name))
    await Promise.all([giveUp('second', 600), giveUp('first', 50)])
    expect(order).toEqual(['first', 'second'])
  })
  test('settles once, whatever comes after its time', async () => {
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    await expect(within(1, promise, late)).rejects.toThrow('late')
    resolve(1)
    reject(new Error('unheard'))
    expect(await within(1_000, promise, late)).toBe(1)
  })
})
