import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import openapi from '../../plugins/openapi/index.ts'
import sse from '../../plugins/sse/index.ts'
import stdio from '../../plugins/stdio/index.ts'
import streamableHttp from '../../plugins/streamable-http/index.ts'
import wasm from '../../plugins/wasm/index.ts'
import { createOutbound } from '@/lib/outbound.ts'
import { createPrograms } from '@/lib/programs.ts'
import {
  type Channel,
  type ChannelError,
  createPlugins,
  type Exchange,
  type JsonObject,
  type JsonRpcResponse,
  type OpenedBy,
  type UpstreamMessage,
} from '@/plugins/index.ts'

export const OURSELVES = [process.execPath, resolve(import.meta.dir, 'program-entry.ts')]

/** The real host with the built-in connectors, a data folder of its own, and ears for everything a channel says by itself. */
export function openHouse() {
  const dataDir = mkdtempSync(join(tmpdir(), 'toolpass-'))
  const programs = createPrograms({ executable: OURSELVES, dataDir, environment: process.env })
  const plugins = createPlugins({ plugins: [stdio, streamableHttp, sse, openapi, wasm], outbound: createOutbound(), programs })
  return {
    dataDir,
    programs,
    plugins,
    async close() {
      await programs.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
    async open(id: string, settings: JsonObject, by: Partial<OpenedBy> = {}) {
      const heard: { messages: UpstreamMessage[]; lines: string[]; closed: ChannelError[] } = { messages: [], lines: [], closed: [] }
      const connector = plugins.connector(id)
      if (connector === undefined) throw new Error(`no connector ${id}`)
      const channel = await plugins.open(connector, {
        settings,
        key: 'con_test',
        privateAllowed: true,
        receive: (message) => void heard.messages.push(message),
        log: (line) => void heard.lines.push(line),
        closed: (reason) => void heard.closed.push(reason),
        signal: new AbortController().signal,
        ...by,
      })
      return { channel, heard }
    },
  }
}

const MODERN_META = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} }

let lastId = 0
/** Sends one request the way the house does: ids of its own, the id as progress token, the revision in `_meta` when modern. */
export function ask(
  channel: Channel,
  method: string,
  params: JsonObject,
  { modern = false, ...exchange }: Partial<Exchange> & { modern?: boolean } = {},
): Promise<JsonRpcResponse> {
  lastId += 1
  const _meta = { ...(modern ? MODERN_META : {}), progressToken: lastId }
  return channel.request(
    { jsonrpc: '2.0', id: lastId, method, params: { ...params, _meta } },
    { signal: new AbortController().signal, receive: () => {}, ...exchange },
  )
}

export async function greet(channel: Channel, capabilities: JsonObject = {}): Promise<JsonRpcResponse> {
  const response = await ask(channel, 'initialize', {
    protocolVersion: '2025-11-25',
    capabilities,
    clientInfo: { name: 'test', version: '1' },
  })
  await channel.notify({ jsonrpc: '2.0', method: 'notifications/initialized' })
  return response
}
