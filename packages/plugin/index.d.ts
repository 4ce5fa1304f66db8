// Made from src/plugins/api.ts by scripts/plugin-types.ts; a change here is lost.
declare module 'toolpass/plugin' {
  /**
   * The plugin API: the only file of the house that a plugin may import (outside plugins see it as `toolpass/plugin`).
   *
   * A connector opens a *channel* to an upstream: messages both ways, as they are, for as long as the channel lives. The
   * house speaks MCP over it (revision, ids, time limits, grants, audit); a connector only carries messages and knows
   * nothing of users, profiles or clients.
   */
  import { z } from 'zod'
  export { z }
  export type JsonObject = {
    [key: string]: unknown
  }
  export type RequestId = string | number
  export type JsonRpcRequest = {
    jsonrpc: '2.0'
    id: RequestId
    method: string
    params?: JsonObject
  }
  export type JsonRpcNotification = {
    jsonrpc: '2.0'
    method: string
    params?: JsonObject
  }
  export type JsonRpcError = {
    code: number
    message: string
    data?: unknown
  }
  export type JsonRpcResponse =
    | {
        jsonrpc: '2.0'
        id: RequestId
        result: JsonObject
        error?: undefined
      }
    | {
        jsonrpc: '2.0'
        id: RequestId
        error: JsonRpcError
        result?: undefined
      }
  /** What an upstream may send besides the response: progress, log lines, change notices, and (legacy) requests of its own. */
  export type UpstreamMessage = JsonRpcRequest | JsonRpcNotification
  /** One request under way: when to give up, and who hears what the upstream says about it meanwhile. */
  export type Exchange = {
    /** Aborting ends the exchange at once; a channel with a stream of its own for each request closes that stream. */
    signal: AbortSignal
    /** Messages that the upstream sent about this request, in order, all before the response. */
    receive(message: UpstreamMessage): void
    /** `Mcp-Param-*` headers of the client (SEP-2243), passed on where the transport has headers. */
    headers?: Record<string, string> | undefined
  }
  /** Pieces are one text, one after the other: put together only where somebody needs them so. */
  export type RequestBody = string | readonly string[] | Uint8Array<ArrayBuffer>
  /** A whole JSON-RPC request as text or bytes, with what a transport must know of it without parsing. */
  export type RawRequest = {
    /** As it stands in the body. */
    id: RequestId
    /** Must not be changed while the request is under way. A long text may be in pieces, which is how `exchange` takes it as well. */
    body: RequestBody
    method: string
    /** Name (tools, prompts) or uri (resources) as the upstream knows it, for `Mcp-Name`. */
    name?: string | undefined
    /** `Mcp-Param-*` headers of the client, passed on. */
    headers?: Record<string, string> | undefined
  }
  /** `bytes`: one JSON-RPC response that nobody has parsed. `response`: what came as a stream of events and was read as such. */
  export type RawAnswer =
    | {
        bytes: Uint8Array<ArrayBuffer>
        response?: undefined
      }
    | {
        response: JsonRpcResponse
        bytes?: undefined
      }
  export interface Channel {
    /**
     * True when all requests share one pipe (stdio). The house then cancels by a notification; otherwise closing the
     * request's stream is the cancellation (2026-07-28) and the notification is sent only to legacy upstreams.
     */
    readonly shared: boolean
    /** That of a signal handed to `forward` it uses `aborted`, `reason` and listeners alone, so that a lighter one than the platform's will do. */
    readonly takesLightSignals?: boolean
    /** Sends one request and settles with the upstream's response, result or error. Rejects with `ChannelError` when there is none. */
    request(request: JsonRpcRequest, exchange: Exchange): Promise<JsonRpcResponse>
    notify(notification: JsonRpcNotification): Promise<void>
    /** Answers a request that the upstream made. */
    respond(response: JsonRpcResponse): Promise<void>
    /** `request` for what is JSON already, its answer left unparsed where it can be told whose it is. */
    forward?(request: RawRequest, exchange: Exchange): Promise<RawAnswer>
    /** Ends everything that belongs to the channel (sockets, processes). Safe to call twice; never rejects. */
    close(): Promise<void>
  }
  /**
   * Why a channel has no answer.
   * - `unreachable`: nothing was sent (no such host, refused, program missing); a repeat is safe.
   * - `lost`: it broke after something was sent; the request may have been carried out.
   * - `expired`: the upstream forgot our legacy MCP session (HTTP 404); nothing was carried out, open a new channel.
   * - `unauthorized`: the upstream wants a credential, or a better one (`status` 401 or 403).
   * - `refused`: an HTTP answer that is no MCP message (`status` tells).
   * - `invalid`: bytes that are no JSON-RPC, or more of them than the limits allow.
   */
  export type ChannelErrorKind = 'unreachable' | 'lost' | 'expired' | 'unauthorized' | 'refused' | 'invalid'
  export class ChannelError extends Error {
    readonly kind: ChannelErrorKind
    readonly details: {
      status?: number
      wwwAuthenticate?: string
      cause?: unknown
    }
    readonly name = 'ChannelError'
    constructor(
      kind: ChannelErrorKind,
      /** One plain sentence that may be shown to the user: no secret, no stack, no path of this machine. */
      message: string,
      details?: {
        status?: number
        wwwAuthenticate?: string
        cause?: unknown
      },
    )
  }
  /** What the house gives a connector to work with. */
  export type ConnectorContext<Settings> = {
    /** The connection's settings, secret fields opened. */
    settings: Settings
    /** The guarded fetch: addresses are checked and pinned, redirects re-checked, credentials dropped across origins. */
    fetch(url: string, init?: OutboundInit): Promise<Response>
    /**
     * The lean way out, for what is sent many times a second: as guarded as `fetch`, without its objects. No redirect is followed.
     * It ends with the channel. A frozen `headers` record is read once and remembered.
     */
    exchange(url: string, init?: ExchangeInit): Promise<ExchangeAnswer>
    /** Starts a program as its own process group, without a shell, in a clean environment, shut in as far as the system allows. */
    spawn(command: ProgramToStart): Promise<Program>
    /** Messages that belong to no request (listen streams, stdio notifications, requests of a legacy upstream). */
    receive(message: UpstreamMessage): void
    /** A line for the connection's page (stderr of a program, a remark of the connector). Never a secret. */
    log(line: string): void
    /** The channel ended by itself. Called at most once, never after `close()`. */
    closed(reason: ChannelError): void
    /** Gives up opening. */
    signal: AbortSignal
  }
  export type OutboundInit = {
    method?: string
    headers?: Record<string, string>
    body?: string | Uint8Array<ArrayBuffer>
    signal?: AbortSignal
    /** Redirects to follow, each checked again. Default 0: a redirect is an answer like any other. */
    redirectsMax?: number
  }
  export type ExchangeInit = {
    method?: string
    headers?: Readonly<Record<string, string>>
    /** Must not be changed while the request is under way. */
    body?: RequestBody
    signal?: AbortSignal | undefined
  }
  export type ExchangeAnswer = {
    status: number
    /** All values of that name, joined by comma. The name in lower case. */
    header(name: string): string | null
    /** Whole where it was short or here at once, else a stream, which nobody ends but the server and you; null where there is none. */
    body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>> | null
  }
  export type ProgramToStart = {
    /** A program's name or path. `javascript` is understood by the house as its own JavaScript runtime. */
    command: string
    args: readonly string[]
    env: Record<string, string>
    /** What it and its children may hold together, in MB, before they are ended. 2048 when it is left out. */
    memoryMb?: number
  }
  export type Program = {
    pid: number
    stdin: {
      write(text: string): void
      end(): void
    }
    stdout: ReadableStream<Uint8Array>
    stderr: ReadableStream<Uint8Array>
    /** `because`, a sentence, when it was ended for going beyond a limit. */
    exited: Promise<{
      code: number | null
      signal: string | null
      because?: string
    }>
    /** Ends the whole process group: stdin closed, SIGTERM, SIGKILL. Settles when no process is left. */
    stop(): Promise<void>
  }
  export type Connector<Schema extends z.ZodObject = z.ZodObject> = {
    /** Unique in the house, stable: it is stored with each connection. `^[a-z][a-z0-9-]{1,31}$` */
    id: string
    title: string
    /** One sentence for the page where a connection is added. */
    description: string
    /**
     * The form, as a schema: `.meta({ title, description, secret: true, placeholder })` on a field. Secret fields are sealed
     * as the user's credential and never shown again; the others are stored with the connection.
     */
    settings: Schema
    /** `administrator` for connectors that run programs or code here. */
    definedBy: 'anyone' | 'administrator'
    /** Where the connection goes, for the pages: a host, or a command line. Gets no secret field. */
    summary(settings: Partial<z.output<Schema>>): string
    /** Opens the channel. On failure it must leave nothing behind, and reject with `ChannelError`. */
    open(context: ConnectorContext<z.output<Schema>>): Promise<Channel>
  }
  /** Where a provider's OAuth happens. All https, or http on loopback. */
  export type OAuthEndpoints = {
    /** As its answers name it in `iss`; left out where it names itself differently each time, or not at all. */
    issuer?: string
    authorization: string
    token: string
    /** RFC 7009. */
    revocation?: string
  }
  /** An issuer, or the whole address of its metadata document. */
  export type OAuthDiscovery = {
    discovery: string
  }
  export type OAuthScope = {
    name: string
    /** What it allows, in words for the person who signs in. */
    description: string
    /** Asked for unless the person takes it out. */
    default?: boolean
  }
  /** What a provider deviates in. What is left out is done as the specifications say. */
  export type OAuthQuirks = {
    /** Between scopes: a space, unless said otherwise. */
    scopeSeparator?: string
    /** The parameter that carries the scopes: `scope`, unless said otherwise. */
    scopeParameter?: string
    /** Sent along with the authorization request. */
    authorizationParameters?: Record<string, string>
    /** Sent along only where the person signs in for the first time or anew, not where they add a scope. */
    consentParameters?: Record<string, string>
    /** PKCE (S256) is sent unless this is false: a server that refuses parameters that it does not know. */
    pkce?: boolean
    /** How the client shows who it is at the token endpoint. `post` when it is left out, `none` where there is no secret. */
    clientAuth?: 'post' | 'basic' | 'none'
    /** Asked for at each sign-in, besides what the person picks. */
    scopes?: readonly string[]
    /** Refresh wants its scopes again. */
    refreshWithScope?: boolean
  }
  /** What the house gives a provider's own functions. */
  export type ProviderContext<Settings = JsonObject> = {
    settings: Settings
    /** The guarded fetch: public addresses only, and those that an administrator entered. */
    fetch(url: string, init?: OutboundInit): Promise<Response>
  }
  export type ProviderTokens = {
    accessToken: string
    refreshToken?: string
  }
  /** The settings that every provider begins with: the client that an administrator registered there. */
  export const oauthClientSettings: {
    clientId: z.ZodString
    clientSecret: z.ZodDefault<z.ZodString>
  }
  /** A service that people have accounts at. A connection of any connector can use such an account. */
  export type OAuthProvider<Schema extends z.ZodObject = z.ZodObject> = {
    /** Unique in the house, stable: it is stored with each account. `^[a-z][a-z0-9-]{1,31}$` */
    id: string
    title: string
    /** What people know it by, where that is for its settings to say. */
    named?(settings: z.output<Schema>): string
    /** One sentence for the page where an administrator sets it up. */
    description: string
    /** Where a client is registered there: a page for people. */
    registerAt?: string
    /** `...oauthClientSettings` and whatever else there is to say (a tenant, addresses). */
    settings: Schema
    scopes: readonly OAuthScope[]
    endpoints(settings: z.output<Schema>): OAuthEndpoints | OAuthDiscovery
    quirks?(settings: z.output<Schema>): OAuthQuirks
    /** An answer of the token endpoint in the provider's own shape, brought into the one of RFC 6749 §5. */
    readTokenAnswer?(answer: JsonObject): JsonObject
    /** What the account is called over there, to tell several apart. */
    whoAmI?(
      context: ProviderContext<z.output<Schema>>,
      tokens: ProviderTokens,
    ): Promise<{
      name: string
    }>
    /** Ends the tokens over there, where that is not done as RFC 7009 says. */
    revoke?(context: ProviderContext<z.output<Schema>>, tokens: ProviderTokens): Promise<void>
  }
  /** A service that people may sign in to Toolpass with: OpenID Connect, or OAuth and a question to the service. */
  export type LoginProvider<Schema extends z.ZodObject = z.ZodObject> = {
    /** Unique in the house, stable: it is stored with each login. `^[a-z][a-z0-9-]{1,31}$` */
    id: string
    title: string
    description: string
    settings: Schema
    scopes: readonly string[]
    endpoints(settings: z.output<Schema>): OAuthEndpoints | OAuthDiscovery
    quirks?(settings: z.output<Schema>): OAuthQuirks
    /** `claims` of the verified ID token, where there is one. `subject` must never come to mean somebody else. */
    whoIs(
      context: ProviderContext<z.output<Schema>>,
      found: ProviderTokens & {
        claims?: JsonObject
      },
    ): Promise<{
      subject: string
      name: string
      email?: string
      isEmailVerified?: boolean
    }>
  }
  /** What the house gives a plugin as a whole. */
  export type PluginContext = {
    /** The guarded fetch: public addresses only, no redirect unless asked for. */
    fetch(url: string, init?: OutboundInit): Promise<Response>
    /** A line for the log of the house. Never a secret. */
    log(line: string): void
    /** Aborted when the plugin is closed, and when its `open` takes too long. */
    signal: AbortSignal
  }
  export type Plugin = {
    id: string
    version: string
    title: string
    connectors?: readonly Connector[]
    /** Services whose OAuth is of the classic kind, with a client that an administrator registers there. */
    oauthProviders?: readonly OAuthProvider[]
    /** Services that people may sign in to Toolpass with. */
    loginProviders?: readonly LoginProvider[]
    /**
     * Called once before anything else of the plugin is used. One that throws, or takes longer than five seconds, is set aside.
     * `close` follows in each case, also after an `open` that failed half-way.
     */
    open?(context: PluginContext): Promise<void> | void
    /** Ends everything that `open` began: timers, sockets, files. Its channels are closed by then. It has five seconds. */
    close?(): Promise<void> | void
  }
  /** Keeps a connector's own settings type while it is written; the house sees all connectors alike. */
  export const defineConnector: <Schema extends z.ZodObject>(connector: Connector<Schema>) => Connector
  /** The same for a provider. */
  export const defineOAuthProvider: <Schema extends z.ZodObject>(provider: OAuthProvider<Schema>) => OAuthProvider
  export const defineLoginProvider: <Schema extends z.ZodObject>(provider: LoginProvider<Schema>) => LoginProvider
  /** What a plugin's `index.ts` exports as default. */
  export const definePlugin: (plugin: Plugin) => Plugin
}
