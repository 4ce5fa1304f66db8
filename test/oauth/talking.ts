/** What a client says to an authorization server, by the addresses in its metadata alone. */
import { expect } from 'bun:test'
import type { Device, FormEndpoint, Target } from './target.ts'

export const CALLBACK = 'https://app.example.org/callback'
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'
export const SCOPE = 'mcp offline_access'

export type Json = Record<string, unknown>
export type Answer = { status: number; headers: Headers; text: string; json: Json }
export type Tokens = { access_token: string; refresh_token: string; token_type: string; expires_in: number; scope: string }
export type App = { id: string; secret: string | undefined; method: string; registered: Json }
/** `undefined` takes a parameter away, a list sends it more than once. */
export type Change = Record<string, string | readonly string[] | undefined>
export type Asked = { code: string; verifier: string }

/** Status and error in one, for short expectations. */
export const told = ({ status, json }: Answer): [number, unknown] => [status, json['error']]

export const newVerifier = () => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')
export const challengeOf = (verifier: string) => new Bun.CryptoHasher('sha256').update(verifier).digest('base64url')

export function formOf(change: Change): URLSearchParams {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(change))
    for (const each of [value].flat()) if (each !== undefined) form.append(name, each as string)
  return form
}

/** RFC 6749 §2.3.1: both parts form-encoded, then joined. */
export const basic = (id: string, secret: string) =>
  `Basic ${Buffer.from([id, secret].map((part) => formOf({ p: part }).toString().slice(2)).join(':')).toString('base64')}`

export type Talk = ReturnType<typeof createTalk>

export function createTalk(target: Target) {
  const { metadata } = target
  const send = async (address: string, init: RequestInit = {}): Promise<Answer> => {
    const { status, headers, ...answer } = await fetch(address, { redirect: 'manual', ...init }).then(async (response) => ({
      status: response.status,
      headers: response.headers,
      text: await response.text(),
    }))
    return { status, headers, ...answer, json: /json/.test(headers.get('content-type') ?? '') ? (JSON.parse(answer.text) as Json) : {} }
  }
  const post = (endpoint: FormEndpoint, form: Change | string, headers: Record<string, string> = {}) =>
    send(metadata[endpoint], {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: typeof form === 'string' ? form : formOf(form).toString(),
    })
  const register = (said: Json = {}) =>
    send(metadata.registration_endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...DESCRIBED, ...said }),
    })
  const newApp = async (said: Json = {}): Promise<App> => {
    const answer = await register(said)
    expect(answer.status, answer.text).toBe(201)
    const { client_id, client_secret, token_endpoint_auth_method } = answer.json as Record<string, string | undefined>
    return { id: String(client_id), secret: client_secret, method: String(token_endpoint_auth_method), registered: answer.json }
  }
  /** As the client registered to prove itself. */
  const postAs = (app: App, endpoint: FormEndpoint, form: Change, headers: Record<string, string> = {}) => {
    if (app.method === 'client_secret_basic') return post(endpoint, form, { authorization: basic(app.id, app.secret ?? ''), ...headers })
    const secret = app.method === 'client_secret_post' ? { client_secret: app.secret } : {}
    return post(endpoint, { client_id: app.id, ...secret, ...form }, headers)
  }
  return { ...target, send, post, postAs, register, newApp, ...createFlow(target, { postAs }) }
}

/** What the application describes itself as, unless a case says otherwise. */
const DESCRIBED: Json = {
  client_name: 'Suite',
  redirect_uris: [CALLBACK],
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token', DEVICE_GRANT],
  response_types: ['code'],
}

type Steps = {
  postAs(app: App, endpoint: FormEndpoint, form: Change, headers?: Record<string, string>): Promise<Answer>
}

/** From a request to tokens, step by step, each of which a case may change. */
function createFlow(target: Target, { postAs }: Steps) {
  const { metadata, resource } = target
  const asking = (app: App, change: Change = {}): Change => ({
    ...{ response_type: 'code', client_id: app.id, redirect_uri: CALLBACK, scope: SCOPE, state: 'a state', prompt: 'consent', resource },
    ...{ code_challenge: challengeOf('v'.repeat(43)), code_challenge_method: 'S256', ...change },
  })
  const addressOf = (asked: Change | string) => `${metadata.authorization_endpoint}?${typeof asked === 'string' ? asked : formOf(asked)}`
  const obtain = async (app: App, change: Change = {}): Promise<Asked> => {
    const verifier = newVerifier()
    const back = await target.answer(addressOf(asking(app, { code_challenge: challengeOf(verifier), ...change })), 'allow')
    const code = back.searchParams.get('code')
    if (code === null) throw new Error(`no code: ${back.search}`)
    return { code, verifier }
  }
  const redeem = (app: App, { code, verifier }: Asked, change: Change = {}, headers: Record<string, string> = {}) =>
    postAs(
      app,
      'token_endpoint',
      { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: CALLBACK, ...change },
      headers,
    )
  const tokensOf = (answer: Answer): Tokens => {
    expect(answer.status, answer.text).toBe(200)
    return answer.json as Tokens
  }
  const tokens = async (app: App, change: Change = {}) => tokensOf(await redeem(app, await obtain(app, change)))
  const refresh = (app: App, token: string, change: Change = {}) =>
    postAs(app, 'token_endpoint', { grant_type: 'refresh_token', refresh_token: token, ...change })
  const push = (app: App, change: Change = {}) =>
    postAs(app, 'pushed_authorization_request_endpoint', { ...asking(app, change), client_id: clientIdOf(app, change) })
  const beginDevice = (app: App, change: Change = {}) =>
    postAs(app, 'device_authorization_endpoint', { client_id: app.id, scope: SCOPE, resource, ...change })
  const newDevice = async (app: App): Promise<Device> => {
    const answer = await beginDevice(app)
    expect(answer.status, answer.text).toBe(200)
    return answer.json as Device
  }
  const poll = (app: App, deviceCode: string, change: Change = {}) =>
    postAs(app, 'token_endpoint', { grant_type: DEVICE_GRANT, device_code: deviceCode, ...change })
  return { asking, addressOf, obtain, redeem, tokensOf, tokens, refresh, push, beginDevice, newDevice, poll }
}

const clientIdOf = (app: App, change: Change) => ('client_id' in change ? change['client_id'] : app.id)
