/** The revisions with `initialize`, 2025-03-26 to 2025-11-25. What a client said in its session is in sessions.ts. */
import type { JsonObject } from '@/plugins'
import type { Answering, Client } from './answering.ts'
import type { Calls } from './calls.ts'
import type { Caller } from './caller.ts'
import type { Resumable } from './events.ts'
import type { Lane, LaneClient } from './lane.ts'
import { createLegacyStreams, type LegacyStreams } from './legacy-streams.ts'
import type { Listeners } from './listeners.ts'
import { LISTS } from './lists.ts'
import {
  accepted,
  acceptsStream,
  answer,
  type Asked,
  BATCH_REVISION,
  CODES,
  type Incoming,
  isObject,
  json,
  jsonText,
  LATEST_LEGACY_REVISION,
  LEGACY_REVISIONS,
  prefersStream,
  refuse,
  textOf,
} from './messages.ts'
import type { Others } from './others.ts'
import { notOffered, type Questions } from './questions.ts'
import { fullServerInfo, legacyDefinition, legacyResult } from './results.ts'
import { CALLS, type Serving } from './serving.ts'
import type { Session, Sessions } from './sessions.ts'
import { isLevel, metaFor } from './talk.ts'

const SESSION = 'mcp-session-id'
/** From here on the first event of a stream says how to come back (SEP-1699). */
const PRIMED_SINCE = '2025-11-25'
const LINKS_SINCE = '2025-06-18'

export type LegacyDeps = {
  serving: Serving
  others: Others
  calls: Calls
  listeners: Listeners
  sessions: Sessions
  questions: Questions
  resumable: Resumable
  answering: Answering
  lane: Lane
}

/** Whose it is: two apps with one grant, or two windows of one, count their ids alike; the session tells them apart. */
const ownerOf = (caller: Caller, session: Session | undefined): string => session?.id ?? caller.grant.id
const keyOf = (caller: Caller, session: Session | undefined, id: unknown) => `${ownerOf(caller, session)} ${JSON.stringify(id)}`

export function createLegacy(deps: LegacyDeps) {
  const { calls, sessions, questions, others } = deps
  const streams = createLegacyStreams(deps)
  const serve = createServe(deps, streams)
  /** One that we did not give to this grant, or that has ended: the client initialises anew (2025-11-25, "Session Management"). */
  const unknownSession = () => refuse(404, CODES.invalidRequest, 'Unknown session; initialise again.')
  const sessionOf = async (request: Request, caller: Caller): Promise<Session | undefined> => {
    const id = request.headers.get(SESSION)
    if (id === null) return undefined
    const session = (await sessions.find(id, caller.grant.id)) ?? unknownSession()
    sessions.touch(session)
    return session
  }
  const tell = async (caller: Caller, session: Session | undefined, { method, params }: { method: string; params: JsonObject }) => {
    if (method === 'notifications/cancelled') calls.cancel(keyOf(caller, session, params['requestId']))
    if (method === 'notifications/roots/list_changed') await others.rootsChanged(caller)
    return accepted()
  }
  const one = async (
    request: Request,
    caller: Caller,
    session: Session | undefined,
    message: Incoming,
    isInBatch = false,
  ): Promise<Response> => {
    if (message.kind === 'response') {
      questions.answered(ownerOf(caller, session), message.id, message)
      return accepted()
    }
    if (message.kind === 'notification') return tell(caller, session, message)
    const response = await serve(request, caller, session, message, isInBatch)
    const isJson =
      response.status === 200 && !response.headers.has(SESSION) && response.headers.get('content-type')?.startsWith('application/json')
    return isJson && !isInBatch && prefersStream(request) ? streams.ofOne(request, caller, session, await response.json()) : response
  }
  /** Answers in the order of the requests, as JSON (2025-03-26, "Batching"). */
  const many = async (request: Request, caller: Caller, session: Session | undefined, messages: readonly Incoming[]): Promise<Response> => {
    const revision = session?.revision ?? request.headers.get('mcp-protocol-version') ?? BATCH_REVISION
    if (revision !== BATCH_REVISION) return refuse(400, CODES.invalidRequest, 'Batches are not part of this revision of the protocol.')
    if (messages.some((message) => message.kind === 'request' && message.method === 'initialize'))
      return refuse(400, CODES.invalidRequest, 'initialize must stand alone.')
    const answers = await Promise.all(
      messages.map((message) => one(request, caller, session, message, true).catch((error) => deps.answering.refused(error, message))),
    )
    const bodies = await Promise.all(answers.filter((response) => response.status !== 202).map((response) => response.json()))
    return bodies.length === 0 ? accepted() : json(bodies)
  }

  return {
    async post(request: Request, caller: Caller, message: Incoming | Incoming[]): Promise<Response> {
      if (!Array.isArray(message) && message.kind === 'request' && message.method === 'initialize')
        return serve(request, caller, undefined, message, false)
      const session = await sessionOf(request, caller)
      return Array.isArray(message) ? many(request, caller, session, message) : one(request, caller, session, message)
    },
    /** The stream for what belongs to no request. @throws Failure `too_many_streams` */
    async get(request: Request, caller: Caller): Promise<Response> {
      const session = await sessionOf(request, caller)
      if (!acceptsStream(request)) return refuse(406, CODES.invalidRequest, 'Accept text/event-stream.')
      return streams.open(request, caller, session)
    },
    async delete(request: Request, caller: Caller): Promise<Response> {
      const session = await sessionOf(request, caller)
      if (session) {
        await sessions.end(session)
        streams.endOf(session)
      }
      return new Response(null, { status: 200 })
    },
  }
}
export type Legacy = ReturnType<typeof createLegacy>

type Method = (caller: Caller, session: Session | undefined, asked: Asked) => Promise<Response>

function createServe(deps: LegacyDeps, streams: LegacyStreams) {
  const { serving, others, sessions, answering, lane } = deps
  const clientOf = createClients(deps)
  const methods: Readonly<Record<string, Method>> = {
    async initialize(caller, _, { id, params }) {
      const { protocolVersion: wanted, capabilities, clientInfo } = params
      const revision = typeof wanted === 'string' && LEGACY_REVISIONS.includes(wanted) ? wanted : LATEST_LEGACY_REVISION
      const said = { capabilities: isObject(capabilities) ? capabilities : {}, clientInfo: isObject(clientInfo) ? clientInfo : {} }
      const session = await sessions.create(caller.grant.id, { revision, ...said })
      const { profile } = caller
      const result = {
        protocolVersion: revision,
        capabilities: await others.capabilities(caller, false),
        serverInfo: fullServerInfo(profile),
        ...(profile.description !== '' && { instructions: profile.description }),
      }
      return json(answer(id, result), 200, { [SESSION]: session.id })
    },
    ping: async (_, __, { id }) => json(answer(id, {})),
    async 'logging/setLevel'(_, session, { id, params }) {
      const { level } = params
      if (!isLevel(level)) return refuse(200, CODES.invalidParams, 'Unknown level')
      if (session) await sessions.setLogLevel(session, level)
      return json(answer(id, {}))
    },
    'resources/subscribe': async (caller, session, { id, params }) => {
      await streams.subscribe(caller, session, textOf(params['uri']))
      return json(answer(id, {}))
    },
    'resources/unsubscribe': async (_, session, { id, params }) => {
      await streams.unsubscribe(session, textOf(params['uri']))
      return json(answer(id, {}))
    },
  }
  return async (request: Request, caller: Caller, session: Session | undefined, asked: Asked, isInBatch: boolean): Promise<Response> => {
    const { id, method, params } = asked
    const client = () => clientOf(caller, session, asked, isInBatch)
    const serveLong = () => answering.answer({ request, caller, asked, client: client() }, (talk) => serving.serve(caller, asked, talk))
    if (method === 'tools/call' && session && !isInBatch && !prefersStream(request)) {
      const quick = lane({ request, caller, asked, client: laneClient(deps.resumable, caller, session, id) }, serveLong)
      if (quick) return quick
    }
    if (CALLS.has(method)) return serveLong()
    const kind = LISTS.get(method)
    if (kind === 'tools' && params['cursor'] === undefined) {
      const text = await others.lists.toolsText(caller, false, ({ tools, ...rest }) => ({
        ...rest,
        tools: (tools as JsonObject[]).map(legacyDefinition),
      }))
      return jsonText(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${text}}`)
    }
    if (kind) return json(answer(id, legacyResult(await others.lists.page(kind, caller, params, false))))
    const own = Object.hasOwn(methods, method) ? methods[method] : undefined
    if (own) return own(caller, session, asked)
    const other = others.legacy(method)
    if (!other) return refuse(200, CODES.unknownMethod, `Unknown method: ${method.slice(0, 100)}`)
    return answering.answer({ request, caller, asked, client: client() }, (talk) =>
      other(caller, asked, talk).then((result) => ({ result: legacyResult(result) })),
    )
  }
}

/** The same in short, for a call that is plain. */
const laneClient = (resumable: Resumable, caller: Caller, session: Session, id: unknown): LaneClient => ({
  isModern: false,
  capabilities: session.capabilities,
  meta: metaFor(session.capabilities, session.clientInfo, null),
  isPlain: session.logLevel === null,
  lacksLinks: session.revision < LINKS_SINCE,
  group: ownerOf(caller, session),
  noTo: notOffered,
  key: keyOf(caller, session, id),
  openStream: (signal, onGone) => resumable.open(session.id, { signal, isPrimed: session.revision >= PRIMED_SINCE, onGone }),
})

/** A client as it described itself when its session began; without a session nothing is known of it. */
function createClients({ questions, resumable }: Pick<LegacyDeps, 'questions' | 'resumable'>) {
  return (caller: Caller, session: Session | undefined, { id }: Asked, isInBatch: boolean): Client => {
    const { capabilities = {}, clientInfo = {}, logLevel = null, revision = BATCH_REVISION } = session ?? {}
    const of = ownerOf(caller, session)
    return {
      isModern: false,
      capabilities,
      meta: metaFor(capabilities, clientInfo, logLevel),
      group: of,
      key: keyOf(caller, session, id),
      ...(logLevel !== null && { logLevel }),
      ...(revision < LINKS_SINCE && { lacksLinks: true }),
      ask: (question, signal, reply) => questions.ask(of, capabilities, question, signal, reply),
      ...(!isInBatch && {
        openStream: (signal: AbortSignal, onGone: () => void) => resumable.open(of, { signal, isPrimed: revision >= PRIMED_SINCE, onGone }),
      }),
    }
  }
}
