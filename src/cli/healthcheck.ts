import { connect } from 'node:net'
import type { Command } from './command.ts'

const TIMEOUT_MS = 3_000

export const healthcheck: Command = {
  usage: 'toolpass healthcheck',
  summary: 'Exits 0 when the running Toolpass answers; for containers.',
  run: async ({ config }) => {
    const host = ['0.0.0.0', '::', ''].includes(config.host) ? '127.0.0.1' : config.host
    const base = config.url?.pathname.replace(/\/+$/, '') ?? ''
    const status = await statusOf(host, config.port, `${base}/healthz`)
    if (status !== 200) throw new Error(`Not healthy: ${status ?? 'no answer'}.`)
  },
}

/** One request by hand: the outbound guard refuses loopback by design, and this needs nothing else of a client. */
function statusOf(host: string, port: number, path: string): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>()
  const socket = connect({ host, port, timeout: TIMEOUT_MS })
  socket.on('connect', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`))
  socket.on('data', (head) => {
    resolve(Number(head.toString('latin1').split(' ')[1]))
    socket.destroy()
  })
  for (const event of ['error', 'timeout', 'close'] as const) socket.on(event, () => (resolve(undefined), socket.destroy()))
  return promise
}
