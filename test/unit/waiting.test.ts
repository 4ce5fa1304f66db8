import { describe, expect, test } from 'bun:test'
import { unlessAborted, withinTime } from '@/lib/waiting.ts'

const late = () => new Error('late')
const never = new Promise<never>(() => undefined)

describe('what is waited for within a time', () => {
  test('comes as it is, or fails as it does', async () => {
    expect(await withinTime(1_000, Promise.resolve(1), late)).toBe(1)
    await expect(withinTime(1_000, Promise.reject(new Error('its own')), late)).rejects.toThrow('its own')
  })
  test('is given up when its time is over, each at its own', async () => {
    const order: string[] = []
    const giveUp = (name: string, msMax: number) => withinTime(msMax, never, late).catch(() => order.push(name))
    await Promise.all([giveUp('second', 600), giveUp('first', 50)])
    expect(order).toEqual(['first', 'second'])
  })
  test('settles once, whatever comes after its time', async () => {
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    await expect(withinTime(1, promise, late)).rejects.toThrow('late')
    resolve(1)
    reject(new Error('unheard'))
    expect(await withinTime(1_000, promise, late)).toBe(1)
  })
})

describe('what is waited for unless it is given up', () => {
  test('comes as it is, fails as it does, or ends with its signal', async () => {
    const { signal } = new AbortController()
    expect(await unlessAborted(signal, Promise.resolve(1))).toBe(1)
    await expect(unlessAborted(signal, Promise.reject(new Error('its own')))).rejects.toThrow('its own')
    const ending = new AbortController()
    const waits = unlessAborted(ending.signal, never)
    ending.abort(new Error('given up'))
    await expect(waits).rejects.toThrow('given up')
    await expect(unlessAborted(ending.signal, never)).rejects.toThrow('given up')
  })
})
