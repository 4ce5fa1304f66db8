import { defineConnector, definePlugin, z } from '@/plugins/api.ts'
import { headersSetting, lowerCased, urlSetting } from '../addresses.ts'
import { openSse } from '../sse-transport.ts'

const settings = z.object({
  url: urlSetting('Where the server opens its stream, usually ending in /sse.', 'https://mcp.example.com/sse'),
  headers: headersSetting(),
})

const sse = defineConnector({
  id: 'sse',
  title: 'Web address (HTTP with SSE, before 2025)',
  description:
    'An MCP server on the network that speaks the transport of revision 2024-11-05. Try the newer one first: it falls back by itself.',
  settings,
  definedBy: 'anyone',
  summary: ({ url = '' }) => URL.parse(url)?.host ?? '',
  open: (context) => openSse(context, { url: context.settings.url, headers: lowerCased(context.settings.headers) }),
})

export default definePlugin({ id: 'sse', version: '1.0.0', title: 'HTTP with SSE', connectors: [sse] })
