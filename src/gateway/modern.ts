/** Revision 2026-07-28: each request speaks for itself, in its body and once more in its headers. */
import { META_CAPABILITIES, META_LOG_LEVEL, META_SERVER, META_SUBSCRIPTION } from '@/lib/meta-keys.ts'
import { incomingOf } from '@/http/incoming.ts'
import { MINUTE_MS } from '@/lib/clock.ts'
import { isFailure } from '@/lib/failure.ts'
import type { JsonObject } from '@/plugins'
import type { Caller } from './caller.ts'
import type { Conversations, Step } from './conversations.ts'
import { openEventStream } from './events.ts'
import { demandModern, paramHeaders } from './headers.ts'
import type { Lane, LaneClient } from './lane.ts'
import { ALL_WANTED, type Listener, type Listeners } from './listeners.ts'
import { LISTS } from './lists.ts'
import {
  accepted,
  answer,
  type Asked,
  CODES,
  type Incoming,
  isObject,
  json,
  jsonText,
  metaOf,
  MODERN_REVISION,
  refuse,
} from './messages.ts'
import type { Others } from './others.ts'
import type { Answering, Client } from './answering.ts'
import { fullServerInfo, modernResult } from './results.ts'
import { CALLS, type Served, type Serving } from './serving.ts'
import { fingerprint, type States } from './states.ts'
import { isLevel, lacking, missingCapability, type Question, type Talk } from './talk.ts'

const LIST_TTL_MS = MINUTE_MS
const CACHING = { ttlMs: LIST_TTL_MS, cacheScope: 'private' }
const RESOURCES_OF_A_STREAM_MAX = 200

type Deps = {
  serving: Serving
  others: Others
  conversations: Conversations
  listeners: Listeners
  states: States
  answering: Answering
  lane: Lane
}

export function createModern(deps: Deps) {
  const { others, answering, lane } = deps
  const discover = async (caller: Caller): Promise<JsonObject> => ({
    supportedVersions: [MODERN_REVISION],
    capabilities: await others.capabilities(caller, true),
    ...(caller.profile.description !== '' && { instructions: caller.profile.description }),
    ...CACHING,
  })
  const serveCall = createModernCalls(deps)
  const listen = createListen(deps)
  const serveLong = (request: Request, caller: Caller, asked: Asked): Promise<Response> =>
    answering.answer({ request, caller, asked, client: modernClient(request, caller, asked) }, (talk) => serveCall(caller, asked, talk))

  const postOther = async (request: Request, caller: Caller, message: Asked): Promise<Response> => {
    const { id, method, params } = message
    const shape = (result: JsonObject) => modernResult(caller.profile, result)
    if (method === 'tools/call') {
      const checked = others.demandMirrored(request, caller, message)
      if (checked) await checked
    }
    if (CALLS.has(method)) return serveLong(request, caller, message)
    if (method === 'server/discover') {
      const result = shape(await discover(caller))
      return json(answer(id, { ...result, _meta: { ...metaOf(result), [META_SERVER]: fullServerInfo(caller.profile) } }))
    }
    const kind = LISTS.get(method)
    if (kind === 'tools' && params['cursor'] === undefined) {
      const text = await others.lists.toolsText(caller, true, (page) => shape({ ...page, ...CACHING }))
      return jsonText(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${text}}`)
    }
    if (kind) return json(answer(id, shape({ ...(await others.lists.page(kind, caller, params, true)), ...CACHING })))
    if (method === 'subscriptions/listen') return listen(request, caller, message)
    const other = others.modern(method)
    if (other)
      return answering.answer({ request, caller, asked: message, client: modernClient(request, caller, message) }, (talk) =>
        other(caller, message, talk).then((result) => ({ result: shape(result) })),
      )
    return refuse(404, CODES.unknownMethod, `Unknown method: ${method.slice(0, 100)}`)
  }

  return {
    /** @throws Refusal, or rejects */
    post(request: Request, caller: Caller, message: Incoming): Promise<Response> {
      if (message.kind !== 'request') return Promise.resolve(accepted())
      demandModern(request, message)
      if (message.method !== 'tools/call') return postOther(request, caller, message)
      const longWay = () => serveLong(request, caller, message)
      return (
        lane({ request, caller, asked: message, client: laneClient(request, caller, message) }, longWay) ??
        postOther(request, caller, message)
      )
    },
  }
}
export type Modern = ReturnType<typeof createModern>

/** A call in rounds: what it still needs goes out as a result, and the request that comes back finds it waiting. */
function createModernCalls({ serving, conversations, states }: Pick<Deps, 'serving' | 'conversations' | 'states'>) {
  const asResult = (step: Step, caller: Caller, request: string): JsonObject =>
    step.kind === 'done'
      ? step.result
      : modernResult(caller.profile, {
          resultType: 'input_required',
          inputRequests: step.inputRequests,
          requestState: states.seal({ conversation: step.conversation }, caller.grant.id, request),
        })
  return async (caller: Caller, asked: Asked, talk: Talk): Promise<Served> => {
    const { requestState, inputResponses } = asked.params
    const request = fingerprintIfNeeded(asked)
    const state = typeof requestState === 'string' ? states.open(requestState, caller.grant.id, request()) : undefined
    if (state?.conversation !== undefined) {
      const step = conversations.goOn(state.conversation, caller.grant.id, talk, inputResponses)
      if (!step) return refuse(200, CODES.invalidParams, 'What this belongs to has ended. Make the call again.')
      return { result: asResult(await step, caller, request()) }
    }
    if (!isAskable(talk)) return serving.serve(caller, asked, talk)
    let served: Served | undefined
    const step = await conversations.begin(caller.grant.id, talk, async (lasting) => {
      served = await serving.serve(caller, asked, lasting)
      return served.result ?? (JSON.parse(Buffer.concat(served.pieces).toString('utf8')).result as JsonObject)
    })
    return step.kind === 'done' && served ? served : { result: asResult(step, caller, request()) }
  }
}

/** Who offers nothing is asked nothing, so there are no rounds. */
const isAskable = ({ capabilities }: Talk): boolean => ['elicitation', 'sampling', 'roots'].some((name) => capabilities[name] !== undefined)

const fingerprintIfNeeded = ({ method, params }: Asked) => {
  let known: string | undefined
  return () => (known ??= fingerprint(method, params))
}

function createListen({ listeners, others }: Pick<Deps, 'listeners' | 'others'>) {
  /** What of it will really be told; the acknowledgement names it. */
  const honoured = (asked: JsonObject) => {
    const wanted = { ...ALL_WANTED }
    const notifications: JsonObject = {}
    for (const [kind, name] of [
      ['tools', 'toolsListChanged'],
      ['prompts', 'promptsListChanged'],
      ['resources', 'resourcesListChanged'],
    ] as const) {
      wanted[kind] = asked[name] === true
      if (wanted[kind]) notifications[name] = true
    }
    const uris = Array.isArray(asked['resourceSubscriptions'])
      ? asked['resourceSubscriptions'].filter((uri) => typeof uri === 'string')
      : []
    return { wanted, notifications, uris: uris.slice(0, RESOURCES_OF_A_STREAM_MAX) as string[] }
  }
  const tellUpdated = async (listener: Listener, uri: string): Promise<void> => {
    if (await others.mayRead(listener.caller, uri)) listeners.send(listener, 'notifications/resources/updated', { uri })
  }
  const watchAll = async (caller: Caller, listener: Listener, uris: readonly string[]): Promise<string[]> => {
    const watched = await Promise.all(
      uris.map(async (uri) => {
        const stop = await others
          .watch(caller, uri, () => void tellUpdated(listener, uri))
          .catch((error) => (isFailure(error) ? undefined : Promise.reject(error)))
        if (!stop) return []
        listener.stops.add(stop)
        return [uri]
      }),
    )
    return watched.flat()
  }
  /** The acknowledgement comes first and names what will really be told. @throws Failure `too_many_streams` */
  return async (request: Request, caller: Caller, { id, params }: Asked): Promise<Response> => {
    const asked = params['notifications']
    if (!isObject(asked)) return refuse(400, CODES.invalidParams, 'params.notifications is missing.')
    listeners.demandRoom(caller.userId)
    incomingOf(request).hold()
    const { wanted, notifications, uris } = honoured(asked)
    const meta = { [META_SUBSCRIPTION]: id }
    let listener: Listener | undefined
    const stream = openEventStream(() => listener && listeners.leave(listener))
    listener = await listeners.add({ caller, stream, meta, wanted }, request.signal)
    const watched = await watchAll(caller, listener, uris)
    const told = { ...notifications, ...(watched.length > 0 && { resourceSubscriptions: watched }) }
    listeners.send(listener, 'notifications/subscriptions/acknowledged', { notifications: told })
    return stream.response
  }
}

const plainStream = (_: AbortSignal, onGone: () => void) => openEventStream(onGone)

/** Whoever could be asked is asked between two requests (conversations.ts). */
const notInPerson = (question: Question) => missingCapability(lacking({}, question) ?? {})
const groupOf = ({ grant }: Caller): string => `${grant.id} modern`

/** The same in short; undefined headers are the rule. */
function laneClient(request: Request, caller: Caller, { params }: Asked): LaneClient {
  const meta = metaOf(params)
  const capabilities = meta[META_CAPABILITIES] as JsonObject
  const isPlain = paramHeaders(request) === undefined
  return { isModern: true, capabilities, meta, isPlain, group: groupOf(caller), noTo: notInPerson, openStream: plainStream }
}

/** What the client says of itself in this request. */
function modernClient(request: Request, caller: Caller, { params }: Asked): Client {
  const meta = metaOf(params)
  const capabilities = meta[META_CAPABILITIES]
  const logLevel = meta[META_LOG_LEVEL]
  const headers = paramHeaders(request)
  return {
    isModern: true,
    capabilities: isObject(capabilities) ? capabilities : {},
    meta,
    ...(headers && { headers }),
    group: groupOf(caller),
    ...(isLevel(logLevel) && { logLevel }),
    ask: (question) => Promise.reject(notInPerson(question)),
    openStream: plainStream,
  }
}
