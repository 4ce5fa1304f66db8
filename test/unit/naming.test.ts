import { describe, expect, test } from 'bun:test'
import { isFailure } from '@/lib/failure.ts'
import { clientLimits, exposedNames, type NamedTool } from '@/profiles'

const RULE = /^[a-zA-Z0-9_-]{1,64}$/
const tool = (id: string, name: string, prefix = 'server'): NamedTool => ({ id, name, prefix })
const namesOf = (...args: Parameters<typeof exposedNames>) => [...exposedNames(...args).values()]
const codeOf = (work: () => unknown) => {
  try {
    work()
  } catch (error) {
    return isFailure(error) ? error.code : String(error)
  }
  return undefined
}

describe('exposed names', () => {
  const CASES: readonly [why: string, naming: 'always' | 'on-collision' | 'never', tools: NamedTool[], names: string[]][] = [
    ['always: the prefix and two underscores', 'always', [tool('1', 'echo', 'github')], ['github__echo']],
    ['on collision: alone it keeps its name', 'on-collision', [tool('1', 'echo')], ['echo']],
    ['on collision: both are prefixed', 'on-collision', [tool('1', 'echo', 'a'), tool('2', 'echo', 'b')], ['a__echo', 'b__echo']],
    [
      '[ABUSE-49] on collision: what reads as another connection’s is prefixed, what reads as its own is not',
      'on-collision',
      [tool('1', 'honest__echo', 'rogue'), tool('2', 'echo', 'honest'), tool('3', 'honest__own', 'honest'), tool('4', 'x__y', 'rogue')],
      ['rogue__honest__echo', 'echo', 'honest__own', 'x__y'],
    ],
    ['never: untouched', 'never', [tool('1', 'echo'), tool('2', 'ECHO')], ['echo', 'ECHO']],
  ]
  test.each(CASES)('%s', (_, naming, tools, names) => {
    expect(namesOf(tools, naming)).toEqual(names)
  })
  test('of every tool keep to what all clients take, whatever the upstream calls it', () => {
    const hostile = ['naïve name', 'a.b', 'x'.repeat(128), '', '🙂', '__proto__', 'a/b', 'a b']
    for (const naming of ['always', 'on-collision'] as const)
      for (const name of namesOf(
        hostile.map((each, at) => tool(String(at), each)),
        naming,
      ))
        expect(name).toMatch(RULE)
  })
  test('that are cut are cut alike each time and told apart by a hash', () => {
    const long = [tool('1', `${'x'.repeat(100)}1`), tool('2', `${'x'.repeat(100)}2`)]
    const names = namesOf(long, 'always')
    expect(new Set(names).size).toBe(2)
    expect(namesOf(long, 'always')).toEqual(names)
    for (const name of names) expect(name.length).toBeLessThanOrEqual(48)
  })
  test('never meet, even when replaced characters or underscores make two of them alike', () => {
    const alike = [tool('1', 'a.b'), tool('2', 'a/b'), tool('3', 'b__c', 'a'), tool('4', 'c', 'a__b'), tool('5', 'a.b')]
    const names = namesOf(alike, 'always')
    expect(new Set(names).size).toBe(alike.length)
  })
  test('stay with their tool when another one of the same name joins', () => {
    const known = new Map([['1', 'echo']])
    const names = exposedNames([tool('1', 'echo', 'a'), tool('2', 'echo', 'b')], 'on-collision', known)
    expect([...names]).toEqual([
      ['1', 'echo'],
      ['2', 'b__echo'],
    ])
  })
  test('are refused without a prefix when two would be the same or one is not allowed', () => {
    expect(codeOf(() => exposedNames([tool('1', 'echo', 'a'), tool('2', 'echo', 'b')], 'never'))).toBe('names_collide')
    expect(codeOf(() => exposedNames([tool('1', 'a.b')], 'never'))).toBe('names_collide')
  })
})

describe('limits of clients', () => {
  const limits = (count: number, name = 'echo') => {
    const tools = Array.from({ length: count }, () => ({ exposedName: name })) as never
    return clientLimits({ profile: { name: 'personal' }, tools })
      .filter((limit) => !limit.ok)
      .map((limit) => limit.client)
  }
  test('are told for each client', () => {
    expect(limits(40)).toEqual([])
    expect(limits(41)).toEqual(['Cursor'])
    expect(limits(101)).toEqual(['Cursor', 'Windsurf'])
    expect(limits(129)).toEqual(['Cursor', 'VS Code', 'Windsurf'])
    expect(limits(1, 'x'.repeat(60))).toEqual(['Cursor'])
  })
})
