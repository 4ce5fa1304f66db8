import { describe, expect, test } from 'bun:test'
import { type Channel, ChannelError, type JsonRpcResponse } from '@/plugins/index.ts'
import { ask, greet } from './channels.ts'
import { eventually } from './outside.ts'

type Call = { name: string; arguments: Record<string, unknown> }
export type Subject = {
  name: string
  open(signal?: AbortSignal): Promise<{ channel: Channel; heard: { closed: unknown[] } }>
  /** Opening, or the first question where opening asks nothing, must fail. */
  openBroken(): Promise<{ channel: Channel }>
  /** The revision that the subject speaks, both where it speaks both. */
  speaks: readonly ('modern' | 'legacy')[]
  echo(text: string): Call
  /** A call that does not end by itself. */
  forever: Call
  /** Processes, streams or requests that belong to open channels of this subject. */
  left(): number | Promise<number>
}

const textOf = ({ result }: JsonRpcResponse) => JSON.stringify(result?.['content'])

/** What every connector must keep, however its far side is reached. */
export function keepsContract(subject: Subject): void {
  describe.each(subject.speaks)(`${subject.name}, %s`, (era) => {
    const modern = era === 'modern'
    const nothingLeft = async () => expect(await eventually(async () => (await subject.left()) === 0)).toBe(true)
    async function ready() {
      const { channel, heard } = await subject.open()
      const hello = modern ? await ask(channel, 'server/discover', {}, { modern }) : await greet(channel)
      const call = ({ name, arguments: args }: Call, extra = {}) =>
        ask(channel, 'tools/call', { name, arguments: args }, { modern, ...extra })
      return { channel, heard, hello, call }
    }

    test('opens, greets, lists, calls, and leaves nothing', async () => {
      const { channel, heard, hello, call } = await ready()
      expect(hello.result?.['capabilities']).toHaveProperty('tools')
      if (modern) expect(hello.result?.['supportedVersions']).toContain('2026-07-28')
      const list = await ask(channel, 'tools/list', {}, { modern })
      const tools = list.result?.['tools'] as { name: string; inputSchema: { type: string } }[] | undefined
      expect(tools?.map(({ name }) => name)).toContain(subject.echo('').name)
      for (const { name, inputSchema } of tools ?? []) expect({ name, type: inputSchema.type }).toEqual({ name, type: 'object' })
      expect(textOf(await call(subject.echo('straße 🙂')))).toContain('straße 🙂')
      await channel.close()
      await nothingLeft()
      expect(heard.closed).toEqual([])
    })
    test('gives parallel calls their own answers', async () => {
      const { channel, call } = await ready()
      const answers = await Promise.all(Array.from({ length: 10 }, async (_, at) => textOf(await call(subject.echo(`number ${at}.`)))))
      answers.forEach((answer, at) => {
        expect(answer).toContain(`number ${at}.`)
      })
      await channel.close()
    })
    test('answers an unknown method and an unknown tool with errors, not by breaking', async () => {
      const { channel, call } = await ready()
      expect((await ask(channel, 'no/such-method', {}, { modern })).error?.code).toBe(-32601)
      const unknown = await call({ name: 'no such tool', arguments: {} })
      expect(unknown.error !== undefined || unknown.result !== undefined).toBe(true)
      expect(textOf(await call(subject.echo('still here')))).toContain('still here')
      await channel.close()
    })
    test('gives up a call at once, and serves on', async () => {
      const { channel, call } = await ready()
      const abort = new AbortController()
      setTimeout(() => abort.abort(), 100)
      const startMs = performance.now()
      await expect(call(subject.forever, { signal: abort.signal })).rejects.toMatchObject({ name: 'ChannelError', kind: 'lost' })
      expect(performance.now() - startMs).toBeLessThan(5_000)
      await expect(call(subject.echo('x'), { signal: abort.signal })).rejects.toBeInstanceOf(ChannelError)
      expect(textOf(await call(subject.echo('still here')))).toContain('still here')
      await channel.close()
      await nothingLeft()
    })
    test('closes twice, takes what is under way along, and answers nothing afterwards', async () => {
      const { channel, heard, call } = await ready()
      const outcome = call(subject.forever).catch((error) => error)
      await Bun.sleep(50)
      await Promise.all([channel.close(), channel.close()])
      expect(await outcome).toBeInstanceOf(ChannelError)
      await expect(call(subject.echo('x'))).rejects.toBeInstanceOf(ChannelError)
      expect(heard.closed).toEqual([])
      await nothingLeft()
    })
    test('fails to open with a ChannelError, and leaves nothing', async () => {
      const attempt = async () => {
        const { channel } = await subject.openBroken()
        try {
          return await (modern ? ask(channel, 'server/discover', {}, { modern }) : greet(channel))
        } finally {
          await channel.close()
        }
      }
      await expect(attempt()).rejects.toBeInstanceOf(ChannelError)
      await nothingLeft()
    })
    test('given up while it opens, leaves nothing', async () => {
      const abort = new AbortController()
      const opening = subject.open(abort.signal)
      abort.abort()
      const outcome = await opening.catch((error) => error)
      if (!(outcome instanceof ChannelError)) await outcome.channel.close()
      await nothingLeft()
    })
  })
}
