import { afterAll, beforeAll } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { JsonObject } from '@/plugins/index.ts'
import { openHouse } from '../support/channels.ts'
import { keepsContract } from '../support/connector-contract.ts'
import { startSseUpstream } from '../support/sse-upstream.ts'
import { startLegacyUpstream, startModernUpstream } from '../support/upstreams.ts'
import { buildModule } from '../support/wasm-module.ts'

const house = openHouse()
const modern = startModernUpstream()
const legacy = startLegacyUpstream()
const sse = await startSseUpstream()
/** An API with one operation that answers and one that never does. */
const api = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  idleTimeout: 0,
  fetch: async (request) => {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/forever') await new Promise((done) => request.signal.addEventListener('abort', done))
    return Response.json({ message: searchParams.get('message') })
  },
})
let module = ''
beforeAll(() => {
  module = Buffer.from(buildModule()).toString('base64')
}, 60_000)
afterAll(async () => {
  await house.close()
  await Promise.all([modern.stop(), legacy.stop(), sse.stop(), api.stop(true)])
})

/** Programs that this house runs, by its folder in their environment. */
const programs = () =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`HOME=${house.dataDir}`)
    } catch {
      return false
    }
  }).length

const EVERYTHING = resolve(import.meta.dir, '../../node_modules/@modelcontextprotocol/server-everything/dist/index.js')
const NOBODY = 'http://127.0.0.1:1/mcp'
const opens =
  (id: string, settings: () => JsonObject) =>
  (signal = new AbortController().signal) =>
    house.open(id, settings(), { signal })
const echo = (message: string) => ({ name: 'echo', arguments: { message } })
const forever = { name: 'forever', arguments: {} }

keepsContract({
  name: '[CONNECTOR-CONTRACT] streamable-http to a modern server',
  open: opens('streamable-http', () => ({ url: modern.url })),
  openBroken: opens('streamable-http', () => ({ url: NOBODY })),
  speaks: ['modern'],
  echo,
  forever,
  left: () => 0,
})
keepsContract({
  name: '[CONNECTOR-CONTRACT] streamable-http to a legacy server',
  open: opens('streamable-http', () => ({ url: legacy.url })),
  openBroken: opens('streamable-http', () => ({ url: NOBODY })),
  speaks: ['legacy'],
  echo,
  forever,
  left: legacy.sessions,
})
keepsContract({
  name: '[CONNECTOR-CONTRACT] streamable-http to a server of before 2025',
  open: opens('streamable-http', () => ({ url: sse.url })),
  openBroken: opens('streamable-http', () => ({ url: sse.url.replace('/sse', '/none') })),
  speaks: ['legacy'],
  echo,
  forever,
  left: sse.streams,
})
keepsContract({
  name: '[CONNECTOR-CONTRACT] sse',
  open: opens('sse', () => ({ url: sse.url })),
  openBroken: opens('sse', () => ({ url: sse.url.replace('/sse', '/none') })),
  speaks: ['legacy'],
  echo,
  forever,
  left: sse.streams,
})
keepsContract({
  name: '[CONNECTOR-CONTRACT] stdio',
  open: opens('stdio', () => ({ command: 'javascript', args: [EVERYTHING, 'stdio'] })),
  openBroken: opens('stdio', () => ({ command: 'javascript', args: ['-e', 'process.exit(3)'] })),
  speaks: ['legacy'],
  echo,
  forever: { name: 'trigger-long-running-operation', arguments: { duration: 60, steps: 2 } },
  left: programs,
})
const document = (server: string) =>
  JSON.stringify({
    openapi: '3.1.0',
    info: { title: 'Echo', version: '1' },
    servers: [{ url: server }],
    paths: {
      '/echo': { get: { operationId: 'echo', parameters: [{ name: 'message', in: 'query', schema: { type: 'string' } }] } },
      '/forever': { get: { operationId: 'forever' } },
    },
  })
keepsContract({
  name: '[CONNECTOR-CONTRACT] openapi',
  open: opens('openapi', () => ({ document: document(api.url.origin) })),
  openBroken: opens('openapi', () => ({ document: `${NOBODY}/openapi.json` })),
  speaks: ['modern', 'legacy'],
  echo,
  forever,
  left: () => api.pendingRequests,
})
keepsContract({
  name: '[CONNECTOR-CONTRACT] wasm',
  open: opens('wasm', () => ({ module })),
  openBroken: opens('wasm', () => ({ module: 'AGFzbQEAAAA=' })),
  speaks: ['modern', 'legacy'],
  echo,
  forever,
  left: programs,
})
