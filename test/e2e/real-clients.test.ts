/**
 * Clients that people use, each going the whole way by itself: discovery, registration, the consent page in a real browser,
 * the code caught on its own loopback port, a token, and a request with it.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import * as oauth from 'oauth4webapi'
import type { Page } from 'playwright-core'
import { enter, startChromium } from '../support/chromium.ts'
import { startClient } from '../support/command-clients.ts'
import { addHttpConnection, callMcp, makeProfile, readMcp, register, signedIn } from '../support/journey.ts'
import { freePort, type Running, setUp, startToolpass } from '../support/running.ts'
import { startModernUpstream } from '../support/upstreams.ts'

let running: Running
let chromium: Awaited<ReturnType<typeof startChromium>>
let page: Page
let address = ''
const upstream = startModernUpstream()

beforeAll(async () => {
  running = await startToolpass({ compiled: true })
  await setUp(running)
  const person = await signedIn(running)
  await addHttpConnection(person, 'Modern', upstream.url)
  await makeProfile(person, 'Work', 1)
  address = `${running.url}/mcp/work`
  chromium = await startChromium()
  page = chromium.page
  page.setDefaultTimeout(30_000)
  await enter(page, running.url)
})
afterAll(async () => {
  await chromium.close()
  await running.stop()
  await upstream.stop()
  running.remove()
})

/** The user's part; the answer goes to whatever the client listens on. */
async function allow(url: URL): Promise<URL> {
  await page.goto(url.href)
  await page.click('button[value=allow]')
  await page.waitForURL((now) => now.origin !== running.url)
  return new URL(page.url())
}

test('[CLIENT-MCP-REMOTE] mcp-remote signs in and carries a stdio client to its tools', async () => {
  const client = await startClient('mcp-remote', [address, String(await freePort())], { stdin: true })
  try {
    await allow(await client.authorizationUrl())
    const clientInfo = { name: 'e2e', version: '1.0.0' }
    client.write({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo } })
    await client.until(() => (client.said.out.includes('"id":1') ? true : undefined), 'the answer to initialize')
    client.write({ jsonrpc: '2.0', method: 'notifications/initialized' })
    client.write({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'echo', arguments: {} } })
    await client.until(() => (client.said.out.includes('"id":2') ? true : undefined), 'the answer to the call')
    expect(client.said.out).toContain('"result":{"content":[{"type":"text","text":"echo"}]}')
  } finally {
    await client.stop()
  }
})

test('[CLIENT-INSPECTOR] MCP Inspector signs in and lists the tools, in both eras', async () => {
  for (const era of ['legacy', 'modern']) {
    const callback = `http://127.0.0.1:${await freePort()}/oauth/callback`
    const args = ['--cli', '--server-url', address, '--transport', 'http', '--method', 'tools/list', '--format', 'json']
    const client = await startClient('inspector', [...args, '--protocol-era', era, '--callback-url', callback], {
      env: { MCP_AUTO_OPEN_ENABLED: 'true', MCP_INSPECTOR_SECRET_STORE: 'memory' },
    })
    try {
      await allow(await client.authorizationUrl())
      expect(await client.exited()).toBe(0)
      const { result } = JSON.parse(client.said.out) as { result: { tools: { name: string }[] } }
      expect(result.tools.map(({ name }) => name)).toContain('echo')
    } finally {
      await client.stop()
    }
  }
})

test('[CLIENT-CONFORMANCE] every authorization scenario of the conformance tool passes', async () => {
  const port = await freePort()
  const id = await register(running, { redirect_uris: [`http://127.0.0.1:${port}/callback`] })
  const args = ['authorization', '--url', running.url, '--resource', address, '--port', String(port), '--client-id', id]
  const client = await startClient('conformance', args)
  try {
    await allow(await client.authorizationUrl())
    await client.exited()
    expect(client.said.out).toMatch(/authorization-code-grant: 1 passed, 0 failed/)
    expect(client.said.out).toMatch(/authorization-server-metadata-endpoint: [1-9]\d* passed, 0 failed/)
    expect(client.said.out).toMatch(/Total: [1-9]\d* passed, 0 failed/)
  } finally {
    await client.stop()
  }
})

test('[CLIENT-OAUTH4WEBAPI] a strict OAuth library registers, connects, refreshes and revokes', async () => {
  const insecure = { [oauth.allowInsecureRequests]: true }
  const resourceUrl = new URL(address)
  const resource = await oauth.processResourceDiscoveryResponse(resourceUrl, await oauth.resourceDiscoveryRequest(resourceUrl, insecure))
  const issuer = new URL(resource.authorization_servers?.[0] ?? '')
  const server = await oauth.processDiscoveryResponse(
    new URL(running.url),
    await oauth.discoveryRequest(issuer, { ...insecure, algorithm: 'oauth2' }),
  )
  const callback = `http://127.0.0.1:${await freePort()}/callback`
  const metadata = { client_name: 'Strict', redirect_uris: [callback], token_endpoint_auth_method: 'client_secret_basic' }
  const registered = await oauth.processDynamicClientRegistrationResponse(
    await oauth.dynamicClientRegistrationRequest(server, metadata, insecure),
  )
  const client = { ...registered, client_id: String(registered['client_id']) }
  const authentication = oauth.ClientSecretBasic(String(registered['client_secret']))
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const asked = new URL(server.authorization_endpoint ?? '')
  const parameters = { client_id: client.client_id, redirect_uri: callback, response_type: 'code', scope: 'mcp offline_access', state }
  for (const [name, value] of Object.entries(parameters)) asked.searchParams.set(name, value)
  asked.searchParams.set('resource', resource.resource)
  asked.searchParams.set('code_challenge', await oauth.calculatePKCECodeChallenge(verifier))
  asked.searchParams.set('code_challenge_method', 'S256')
  const listener = Bun.serve({ port: Number(new URL(callback).port), hostname: '127.0.0.1', fetch: () => new Response('back') })
  const back = await allow(asked).finally(() => listener.stop(true))
  const answer = oauth.validateAuthResponse(server, client, back, state)
  const redeemed = await oauth.authorizationCodeGrantRequest(server, client, authentication, answer, callback, verifier, insecure)
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, redeemed)
  const refreshing = await oauth.refreshTokenGrantRequest(server, client, authentication, tokens.refresh_token ?? '', insecure)
  const fresh = await oauth.processRefreshTokenResponse(server, client, refreshing)
  const listed = await readMcp(await callMcp(running, 'work', fresh.access_token, 'tools/list'))
  expect(JSON.stringify(listed.result)).toContain('"echo"')
  await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, authentication, fresh.refresh_token ?? '', insecure))
  expect((await callMcp(running, 'work', fresh.access_token, 'tools/list')).status).toBe(401)
})
