/** The connectors: what each brings behind one and the same channel. */
import type { Requirement } from '../requirements.ts'

const old = (page: string) => `https://modelcontextprotocol.io/specification/2024-11-05/${page}`
const openapi = (section: string) => `https://spec.openapis.org/oas/v3.1.1.html#${section}`

export const connectors: readonly Requirement[] = [
  {
    id: 'CONNECTOR-CONTRACT',
    says: 'Every connector opens, greets, lists, calls, cancels and closes alike, fails with ChannelError only, and leaves nothing behind.',
    clause: 'plugins/streamable-http/README.md',
  },
  {
    id: 'SSE-TRANSPORT',
    says: 'A server that speaks HTTP with SSE is used over its stream, and its end ends the channel, once.',
    clause: old('basic/transports#http-with-sse'),
  },
  {
    id: 'SSE-ORIGIN',
    says: 'The address for messages that an SSE server names must be of its own origin, or nothing is sent.',
    clause: old('basic/transports#http-with-sse'),
  },
  {
    id: 'SSE-FALLBACK',
    says: 'A server that does not understand initialize over Streamable HTTP is tried over HTTP with SSE, and kept so.',
    clause: 'https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#backwards-compatibility',
  },
  {
    id: 'OPENAPI-TOOLS',
    says: 'Each operation of an OpenAPI document is a tool with a safe, unique name, a schema of its own, and hints after its method.',
    clause: openapi('operation-object'),
  },
  {
    id: 'OPENAPI-REFS',
    says: 'References are followed inside the document only, and cyclic or huge schemas are cut, never endless.',
    clause: openapi('reference-object'),
  },
  {
    id: 'OPENAPI-PICK',
    says: 'Operations can be picked by name, tag or path; at most 500 are offered.',
    clause: 'plugins/openapi/README.md#limits',
  },
  {
    id: 'OPENAPI-REQUEST',
    says: 'Parameters and bodies are written into the request exactly as the document says, and no value escapes its place.',
    clause: openapi('style-values'),
  },
  {
    id: 'OPENAPI-CREDENTIALS',
    says: 'A credential goes where its security scheme says, and to the API’s own origin only.',
    clause: openapi('security-scheme-object'),
  },
  {
    id: 'OPENAPI-ANSWERS',
    says: 'JSON comes back structured, text as text, images as images; a refusal is an error that the model can read, and everything is bounded.',
    clause: 'plugins/openapi/README.md#answers',
  },
  {
    id: 'WASM-TOOLS',
    says: 'A WebAssembly module lists its tools and answers calls, its settings in hand.',
    clause: 'plugins/wasm/README.md#what-a-module-is',
  },
  {
    id: 'WASM-SANDBOX',
    says: 'Each call of a module has an instance of its own, of which nothing is left afterwards.',
    clause: 'plugins/wasm/README.md#the-sandbox',
  },
  {
    id: 'WASM-LIMITS',
    says: 'A module that hangs, eats memory, floods or fails is stopped within its limits, and the next call is served.',
    clause: 'plugins/wasm/README.md#the-sandbox',
  },
  {
    id: 'WASM-HOSTS',
    says: 'A module reaches the hosts that were named, by the guarded fetch, and nothing else.',
    clause: 'plugins/wasm/README.md#the-sandbox',
  },
  {
    id: 'WASM-PINNED',
    says: 'A module that is no sound one, or another than was pinned, is refused with the reason.',
    clause: 'plugins/wasm/README.md#settings',
  },
  {
    id: 'WASM-EXECUTABLE',
    says: 'Modules run in the compiled executable as they do from source.',
    clause: 'docs/adr/0001-one-executable-on-bun.md',
  },
]
