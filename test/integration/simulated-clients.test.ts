/**
 * Clients that cannot be run here, played by the book: what each of them is known to send, against the whole house, with
 * their metadata documents on hosts of our own that answer to their names.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { openHouse } from '@/app.ts'
import { listen } from '@/app/front.ts'
import { loadConfig } from '@/config'
import { createLog } from '@/lib/log.ts'
import { createPerson, valuesOf } from '../../bench/person.ts'
import { openHosts } from '../support/documents.ts'
import { addHttpConnection, callMcp, makeProfile, type Person, readMcp } from '../support/journey.ts'
import { freePort, type Running } from '../support/running.ts'
import { startModernUpstream } from '../support/upstreams.ts'

const folder = mkdtempSync(join(tmpdir(), 'toolpass-simulated-'))
const hosts = openHosts(['claude.ai', 'vscode.dev', 'chatgpt.com'])
const upstream = startModernUpstream()
const verifier = 'v'.repeat(64)
const challenge = new Bun.CryptoHasher('sha256').update(verifier).digest('base64url')
let house: Awaited<ReturnType<typeof openHouse>>
let server: ReturnType<typeof listen>
let running: Running
let ada: Person

beforeAll(async () => {
  const port = await freePort()
  const faults: string[] = []
  const config = loadConfig({ env: { TOOLPASS_PORT: String(port), TOOLPASS_DATA_DIR: folder }, flags: {} })
  house = await openHouse(config, createLog({ level: 'error', format: 'json', write: (line) => void faults.push(line) }), {
    outbound: hosts.outbound,
  })
  hosts.lead('127.0.0.1', () => ['127.0.0.1'])
  hosts.serveRaw('127.0.0.1', Number(new URL(upstream.url).port))
  server = listen(house)
  const url = `http://localhost:${port}`
  running = { url } as Running
  await house.users.create('command line', { username: 'ada', password: 'correct horse battery', role: 'admin' })
  ada = createPerson(url)
  await ada.submit(await ada.open('/login'), '/login', { username: 'ada', password: 'correct horse battery' })
  await addHttpConnection(ada, 'Modern', upstream.url)
  await makeProfile(ada, 'Work', 1)
})
afterAll(async () => {
  await server.stop(true)
  await house.close()
  await upstream.stop()
  await hosts.close()
  rmSync(folder, { recursive: true, force: true })
})

const serveDocument = (address: string, document: object) =>
  hosts.put(address, () => Response.json({ client_id: address, ...document }, { headers: { 'cache-control': 'max-age=300' } }))

/** As a client begins: with what its own challenge told it. */
async function authorize(client: string, redirectUri: string, decision: 'allow' | 'deny' = 'allow') {
  const asked = new URLSearchParams({
    ...{ response_type: 'code', client_id: client, redirect_uri: redirectUri, code_challenge: challenge, code_challenge_method: 'S256' },
    ...{ state: 'a state', scope: 'mcp offline_access', resource: `${running.url}/mcp/work` },
  })
  const page = await ada.open(`/oauth/authorize?${asked}`)
  if (page.status !== 200) return { page, back: undefined }
  const fields = { decision, tool_id: valuesOf(page.html, 'tool_id'), expires: 'never' }
  const answered = await ada.submit(page, '/oauth/authorize/decide', fields)
  return { page, back: new URL(answered.location ?? running.url) }
}
async function token(form: Record<string, string>) {
  const answer = await fetch(`${running.url}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) })
  return { status: answer.status, body: (await answer.json()) as Record<string, string> }
}
async function redeem(client: string, redirectUri: string, code: string, more: Record<string, string> = {}) {
  const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, client_id: client, code_verifier: verifier, ...more }
  return token({ ...form, resource: `${running.url}/mcp/work` })
}
async function worksWith(accessToken: string) {
  const { result } = await readMcp(await callMcp(running, 'work', accessToken, 'tools/call', { name: 'echo', arguments: {} }))
  return JSON.stringify(result?.['content'])
}
const code = (back: URL | undefined) => back?.searchParams.get('code') ?? ''

test('[CLIENT-CLAUDE-CODE] a metadata document with portless localhost goes with whatever port the client listens on', async () => {
  const client = 'https://claude.ai/oauth/claude-code-client-metadata'
  const redirect_uris = ['http://localhost/callback', 'http://127.0.0.1/callback']
  serveDocument(client, { client_name: 'Claude Code', redirect_uris, token_endpoint_auth_method: 'none' })
  const metadata = (await (await fetch(`${running.url}/.well-known/oauth-authorization-server`)).json()) as Record<string, unknown>
  expect(metadata).toMatchObject({ client_id_metadata_document_supported: true })
  expect(metadata['token_endpoint_auth_methods_supported']).toContain('none')
  const redirect = `http://localhost:${40_000 + Math.floor(Math.random() * 20_000)}/callback`
  const { page, back } = await authorize(client, redirect)
  expect(page.html).toContain('program on this computer')
  expect(back?.href).toStartWith(`${redirect}?`)
  expect(back?.searchParams.get('iss')).toBe(running.url)
  const tokens = await redeem(client, redirect, code(back))
  expect(await worksWith(tokens.body['access_token'] ?? '')).toContain('echo')
  const again = await token({ grant_type: 'refresh_token', refresh_token: tokens.body['refresh_token'] ?? '', client_id: client })
  expect(again.status).toBe(200)
  expect(hosts.hits(client)).toBe(1)
  expect((await authorize(client, 'http://localhost:5000/other')).page.status).toBe(400)
})

test('[CLIENT-CURSOR] three redirect URIs of mixed kinds register at once, and each leads back', async () => {
  const redirect_uris = [
    'cursor://anysphere.cursor-mcp/oauth/callback',
    'https://www.cursor.com/agents/mcp/oauth/callback',
    'http://localhost:8787/callback',
  ]
  const registered = await fetch(`${running.url}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: 'Cursor',
      redirect_uris,
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
    }),
  })
  expect(registered.status).toBe(201)
  const { client_id: client } = (await registered.json()) as { client_id: string }
  for (const redirect of redirect_uris) {
    const { back } = await authorize(client, redirect)
    expect(back?.href).toStartWith(`${redirect}?`)
    expect((await redeem(client, redirect, code(back))).status).toBe(200)
  }
})

test('[CLIENT-VSCODE] a document with a loopback port and a web page: both lead back, another port too', async () => {
  const client = 'https://vscode.dev/oauth/client-metadata.json'
  const redirect_uris = ['http://127.0.0.1/', 'http://127.0.0.1:33418/', 'https://vscode.dev/redirect']
  const more = {
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    application_type: 'native',
  }
  serveDocument(client, { client_name: 'Visual Studio Code', redirect_uris, token_endpoint_auth_method: 'none', ...more })
  for (const redirect of ['http://127.0.0.1:33418/', 'http://127.0.0.1:51234/', 'https://vscode.dev/redirect']) {
    const { back } = await authorize(client, redirect)
    const tokens = await redeem(client, redirect, code(back))
    expect(await worksWith(tokens.body['access_token'] ?? '')).toContain('echo')
  }
})

test('[CLIENT-CHATGPT] a web client proves itself with the key of its document, and with nothing less', async () => {
  const client = 'https://chatgpt.com/oauth/client.json'
  const jwks_uri = 'https://chatgpt.com/oauth/jwks.json'
  const redirect = 'https://chatgpt.com/connector_platform_oauth_redirect'
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  hosts.put(jwks_uri, async () => Response.json({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }] }))
  serveDocument(client, { client_name: 'ChatGPT', redirect_uris: [redirect], token_endpoint_auth_method: 'private_key_jwt', jwks_uri })
  const { page, back } = await authorize(client, redirect)
  expect(page.html).toContain('chatgpt.com')
  const proof = () =>
    new SignJWT({ jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .setIssuer(client)
      .setSubject(client)
      .setAudience(`${running.url}/oauth/token`)
      .setIssuedAt()
      .setExpirationTime('2m')
      .sign(privateKey)
  const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  expect((await redeem(client, redirect, code(back))).body).toMatchObject({ error: 'invalid_client' })
  const tokens = await redeem(client, redirect, code(back), { client_assertion_type, client_assertion: await proof() })
  expect(await worksWith(tokens.body['access_token'] ?? '')).toContain('echo')
  const refresh = { grant_type: 'refresh_token', refresh_token: tokens.body['refresh_token'] ?? '', client_id: client }
  expect((await token({ ...refresh })).status).toBe(401)
  expect((await token({ ...refresh, client_assertion_type, client_assertion: await proof() })).status).toBe(200)
})
