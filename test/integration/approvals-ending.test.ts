/** What ends a call that waits, beside its grant; and prompts and resources, which wait as tools do. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AskingHouse, openAskingHouse } from '../support/asking-house.ts'
import { startEchoUpstream } from '../support/echo-upstream.ts'
import { type App, answerOf, initialize, legacy, modern, textIn, isError } from '../support/gateway-house.ts'
import { eventually } from '../support/outside.ts'

const WAIT_MS = 600
let house: AskingHouse
beforeAll(async () => {
  house = await openAskingHouse({ approvalWaitMs: WAIT_MS })
}, 30_000)
afterAll(async () => {
  expect(house.faults).toEqual([])
  await house.close()
})
afterEach(() => house.settle())

const call = (args: object, app: App = house.app) => modern(app, 'tools/call', { name: 'echo', arguments: args }).then(answerOf)
const why = async (id: string) =>
  (await house.trail()).find(({ action, detail }) => action === 'approval.expire' && detail?.['approval'] === id)?.reason
/** One that is approved and not used, and one that waits, of an app of its own. */
async function both() {
  const app = await house.app2()
  await house.permit('echo', 'ask', app)
  const [approved, args] = [house.fresh(), house.fresh()]
  await call(approved, app)
  await house.decide(await house.asked(), 'once')
  const waits = call(args, app)
  const id = await house.asked()
  return { app, approved, args, waits, id }
}

describe('what ends it', () => {
  test('[APPROVAL-ENDS] everything is paused by one switch: the waiting call is told so, and what was approved is gone', async () => {
    const { app, approved, args, waits, id } = await both()
    await house.rooms.control.pause(house.owner, { kind: 'everything' }, 'own')
    expect((await waits).error?.message).toContain('You paused all your apps')
    expect(await eventually(async () => (await why(id)) === 'grant_paused')).toBe(true)
    await expect(house.decide(id, 'once')).rejects.toMatchObject({ code: 'approval_decided' })
    await Bun.sleep(100)
    await house.rooms.control.resume(house.owner, { kind: 'everything' }, 'own')
    expect(isError(await call(approved, app))).toBe(true)
    expect(house.reached(approved) + house.reached(args)).toBe(0)
    await house.rooms.grants.revoke(house.owner, app.grantId)
  })
  test('[APPROVAL-ENDS] the connection is paused', async () => {
    const { app, waits, id } = await both()
    const paused = { kind: 'connection' as const, id: house.connectionId }
    await house.rooms.control.pause(house.owner, paused, 'own')
    expect(JSON.stringify(await waits)).toContain('paused')
    expect(await eventually(async () => (await why(id)) === 'permission_changed')).toBe(true)
    await house.rooms.control.resume(house.owner, paused, 'own')
    await house.rooms.grants.revoke(house.owner, app.grantId)
  })
  test('[APPROVAL-ENDS] the client is blocked', async () => {
    const { app, args, waits, id } = await both()
    await house.rooms.clients.block(house.owner, (await house.rooms.grants.find(app.grantId))?.clientId as never)
    expect((await waits).error?.message).toContain('blocked this app')
    expect(await eventually(async () => (await why(id)) === 'client_blocked')).toBe(true)
    expect([(await house.waiting()).length, house.reached(args)]).toEqual([0, 0])
  })
  test('[APPROVAL-ENDS] its user is shut out', async () => {
    const zoe = await house.user('zoe', 'admin')
    const upstream = startEchoUpstream('modern', () => Response.json({}))
    const connection = await house.connection(zoe, 'Hers', { settings: { url: upstream.url } })
    const app = await house.admit(zoe, await house.profile(zoe, 'Hers', [connection], 'never'))
    const [tool] = await house.rooms.connections.everything([connection])
    await house.rooms.grants.permit(zoe, app.grantId, tool?.id as never, 'ask')
    const waits = call(house.fresh(), app)
    const id = await house.asked(zoe)
    await house.rooms.users.disable('command line', zoe.id)
    await waits.catch(() => undefined)
    expect(await eventually(async () => (await why(id)) === 'user_disabled')).toBe(true)
    expect([(await house.waiting(zoe)).length, upstream.calls.length]).toEqual([0, 0])
    await upstream.stop()
  })
  test('[APPROVAL-ENDS] the connection leads elsewhere', async () => {
    const { app, approved, args, waits, id } = await both()
    const elsewhere = startEchoUpstream('modern', () => Response.json({}))
    const settings = (url: string) => ({ name: 'Echo', visibility: 'private' as const, settings: { url } as never })
    await house.rooms.connections.update(house.owner, house.connectionId, settings(elsewhere.url))
    await waits
    expect(await eventually(async () => (await why(id)) === 'connection_changed')).toBe(true)
    await house.rooms.connections.update(house.owner, house.connectionId, settings(house.upstream.url))
    await house.rooms.connections.waitForProbe(house.connectionId)
    expect(isError(await call(approved, app))).toBe(true)
    expect([elsewhere.calls.length, house.reached(approved) + house.reached(args)]).toEqual([0, 0])
    await house.rooms.grants.revoke(house.owner, app.grantId)
    await elsewhere.stop()
  })
  test('[APPROVAL-BOUND] a definition that was taken over unseen is another tool: neither the repeat nor the hour holds for it', async () => {
    const args = house.fresh()
    await call(args)
    await house.decide(await house.asked(), 'once')
    const waits = call(house.fresh())
    await house.decide(await house.asked(), 'hour')
    await waits
    const { store, profiles, changes } = house.rooms
    await store.transact(async (tx) => {
      tx.prepare<unknown, [string]>("UPDATE tools SET hash = 'anew' WHERE id = ?").run([house.toolId('echo')])
      tx.prepare<unknown, [string]>("UPDATE profile_tools SET approved_hash = 'anew' WHERE tool_id = ?").run([house.toolId('echo')])
    })
    // Before anybody was told of it.
    profiles.forgetViews()
    expect(isError(await call(args))).toBe(true)
    expect(isError(await call(house.fresh()))).toBe(true)
    changes.announce({ kind: 'tools-changed', connectionId: house.connectionId })
    expect(await eventually(async () => (await house.trail()).at(-1)?.reason === 'definition_changed')).toBe(true)
  })
  test('[APPROVAL-ENDS] its definition changes while it waits: the call is told that somebody has to look', async () => {
    const waits = call(house.fresh())
    const id = await house.asked()
    const { store, changes } = house.rooms
    await store.transact(
      async (tx) => void tx.prepare<unknown, [string]>("UPDATE tools SET hash = 'changed' WHERE id = ?").run([house.toolId('echo')]),
    )
    changes.announce({ kind: 'tools-changed', connectionId: house.connectionId })
    expect(textIn(await waits)).toContain('Echo changed this tool since it was picked')
    expect(await why(id)).toBe('definition_changed')
    await expect(house.decide(id, 'always')).rejects.toMatchObject({ code: 'approval_decided' })
    await store.transact(
      async (tx) =>
        void tx
          .prepare<unknown, [string]>("UPDATE profile_tools SET approved_hash = 'changed' WHERE tool_id = ?")
          .run([house.toolId('echo')]),
    )
    changes.announce({ kind: 'tools-changed', connectionId: house.connectionId })
    await Bun.sleep(50)
  })
  test('[APPROVAL-ENDS] an app of an older revision is answered as well, before its stream ends', async () => {
    const app = await house.app2()
    await house.permit('echo', 'ask', app)
    const headers = await initialize(app)
    const params = { name: 'echo', arguments: house.fresh(), _meta: { progressToken: 1 } }
    const waits = legacy(app, 'tools/call', params, { headers }).then(answerOf)
    await house.asked()
    await house.rooms.grants.pause(house.owner, app.grantId)
    expect((await waits).error?.message).toContain('You paused this app')
    await house.rooms.grants.revoke(house.owner, app.grantId)
  })
  test('[APPROVAL-ENDS] a grant that ran out by itself decides nothing, and its approvals go with the next look', async () => {
    const { app, id, waits } = await both()
    await house.rooms.store.transact(
      async (tx) =>
        void tx.prepare<unknown, [number, string]>('UPDATE grants SET expires_at = ? WHERE id = ?').run([Date.now() - 1, app.grantId]),
    )
    await expect(house.decide(id, 'once')).rejects.toMatchObject({ code: 'approval_decided' })
    await house.rooms.approvals.sweep()
    expect(await why(id)).toBe('grant_expired')
    await waits
  })
  test('[APPROVAL-ENDS] the app is deleted: nobody is left waiting', async () => {
    const { app, waits, args } = await both()
    const clientId = (await house.rooms.grants.find(app.grantId))?.clientId as never
    await house.rooms.clients.remove(house.owner, clientId)
    await waits.catch(() => undefined)
    expect([(await house.waiting()).length, house.reached(args)]).toEqual([0, 0])
  })
})

describe('whose it is', () => {
  test('[APPROVAL-OWN] another administrator neither sees nor decides it', async () => {
    const waits = call(house.fresh())
    const id = await house.asked()
    const root = await house.user('root', 'admin')
    const { approvals } = house.rooms
    await expect(approvals.demand(root.id, id)).rejects.toMatchObject({ code: 'approval_not_found' })
    await expect(approvals.decide(root, id, 'once', 'page')).rejects.toMatchObject({ code: 'approval_not_found' })
    expect([(await house.waiting(root)).length, approvals.countWaiting(root.id), approvals.countWaiting(house.owner.id)]).toEqual([0, 0, 1])
    await house.decide(id, 'refuse')
    await waits
  })
  test('[APPROVAL-DURABLE] arguments stand in the file sealed', async () => {
    const secret = { account: 'canary-5e0c61d7c1' }
    const waits = call(secret)
    const id = await house.asked()
    const { dataDir } = house.rooms.config
    const file = ['toolpass.db', 'toolpass.db-wal'].map((name) => join(dataDir, name)).filter((path) => existsSync(path))
    expect(file.map((path) => readFileSync(path, 'latin1').includes(secret.account))).not.toContain(true)
    expect((await house.rooms.approvals.demand(house.owner.id, id)).shown.text).toContain(secret.account)
    await house.decide(id, 'refuse')
    await waits
  })
})

describe('prompts and resources', () => {
  test('[APPROVAL-WAITS] wait as tools do, are answered with an error that names the page, and are read once approved', async () => {
    const read: string[] = []
    const ttl = { ttlMs: 600_000, cacheScope: 'private', resultType: 'complete' }
    const upstream = startEchoUpstream('modern', () => Response.json({}), {
      capabilities: { prompts: {}, resources: {}, extensions: { 'io.modelcontextprotocol/skills': {} } },
      others: {
        'prompts/list': () => ({ result: { ...ttl, prompts: [{ name: 'plan' }] } }),
        'resources/list': () => ({ result: { ...ttl, resources: [{ uri: 'test://one', name: 'one' }] } }),
        'resources/templates/list': () => ({ result: { ...ttl, resourceTemplates: [] } }),
        'skills/list': () => (read.push('skills'), { result: { ...ttl, skills: [{ name: 'skill of theirs' }] } }),
        'skills/get': () => (read.push('skill'), { result: { ...ttl, text: 'skill of theirs' } }),
        'resources/directory/read': () => (read.push('directory'), { result: { ...ttl, text: 'skill of theirs' } }),
        'prompts/get': () => (read.push('prompt'), { result: { resultType: 'complete', messages: [] } }),
        'resources/read': () => (read.push('resource'), { result: { ...ttl, contents: [{ uri: 'test://one', text: 'it' }] } }),
      },
    })
    const connection = await house.connection(house.owner, 'Papers', { settings: { url: upstream.url } })
    const profile = await house.profile(house.owner, 'Papers', [connection], 'never')
    const app = await house.admit(house.owner, profile)
    for (const { id } of await house.rooms.connections.everything([connection]))
      await house.rooms.grants.permit(house.owner, app.grantId, id, 'ask')
    const ways = [
      ['prompts/get', { name: 'plan' }, 'messages'],
      ['resources/read', { uri: 'test://one' }, 'contents'],
    ] as const
    for (const [method, params, field] of ways) {
      const first = await modern(app, method, params).then(answerOf)
      const id = await house.asked()
      expect(first.error).toMatchObject({ code: -32_602, message: expect.stringContaining(`/approvals/${id}`) })
      await house.decide(id, 'once')
      expect((await modern(app, method, params).then(answerOf)).result?.[field]).toBeDefined()
    }
    expect(read).toEqual(['prompt', 'resource'])
    // Known by its address, whatever stands for it in the profile.
    expect((await house.trail()).findLast(({ action }) => action === 'approval.use')?.subject).toBe('test://one')
    // Ways to read on which nobody is asked are closed as long as its user wants to be.
    for (const [method, params] of [
      ['skills/get', { uri: 'test://one' }],
      ['resources/directory/read', { uri: 'test://one' }],
      ['skills/list', {}],
    ] as const)
      expect(JSON.stringify(await modern(app, method, params).then(answerOf))).not.toContain('skill of theirs')
    expect(read).toEqual(['prompt', 'resource'])
    await house.rooms.grants.revoke(house.owner, app.grantId)
    await upstream.stop()
  })
})
