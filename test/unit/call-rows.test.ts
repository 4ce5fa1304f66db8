/** Rows of the audit trail in the words of the activity page. */
import { Glob } from 'bun'
import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import type { AuditRow } from '@/audit'
import type { User } from '@/users'
import { callRowOf } from '@/web/call-rows.ts'
import { CallTable, doneInWords } from '@views/activity.tsx'

const LONG = `file:///srv/${'very/'.repeat(60)}deep.md`
const row = (change: Partial<AuditRow>): AuditRow =>
  ({
    ...{ seq: 1, at: 0, kind: 'call', action: 'tools/call', outcome: 'ok', subject: 'echo', reason: null, detail: null },
    ...{ clientName: 'App', profileName: 'Work', userId: 'usr_1', grantId: null, durationUs: 1_000, responseBytes: 10 },
    ...change,
  }) as AuditRow
const reader = { id: 'usr_1' } as User
const said = (change: Partial<AuditRow>) => doneInWords(callRowOf(row(change), reader))

test('what was done stands in words where the name alone does not say it', () => {
  expect(said({})).toBeUndefined()
  expect(said({ action: 'resources/read', subject: LONG })).toBe('Resource read')
  expect(said({ action: 'prompts/get', subject: 'plan' })).toBe('Prompt fetched')
  expect(said({ action: 'completion/complete', subject: 'plan' })).toBe('Completion of an argument')
  expect(said({ action: 'prompts/list', subject: null })).toBe('Prompts listed')
  expect(said({ detail: { via: 'call_tool' } })).toBe('Called through call_tool')
})

test('what another method or another kind of value says of a way is not believed', () => {
  expect(said({ action: 'resources/read', detail: { via: 'call_tool' } })).toBe('Resource read')
  expect(said({ detail: { via: 7 } })).toBeUndefined()
  expect(said({ detail: { via: '' } })).toBeUndefined()
})

test('[PROFILE-PURPOSE] what a call is said to be for stands beside it, as text', () => {
  const html = CallTable({ calls: [callRowOf(row({ purpose: '<b>To pack.</b>' }), reader)] }).text()
  expect(html).toMatch(/For: <bdi>&lt;b&gt;To pack\.&lt;\/b&gt;<\/bdi>/)
})

test('a long address is cut in the middle and whole on hover, a hostile one is text', () => {
  const calls = [LONG, 'ui://<script>alert(1)</script>\u202e'].map((subject) =>
    callRowOf(row({ action: 'resources/read', subject }), reader),
  )
  const html = CallTable({ calls }).text()
  expect(html).toContain(`title="${LONG}"`)
  expect(html).toMatch(/<bdi>file:\/\/\/srv\/very[^<]{1,40}…[^<]{1,40}deep\.md<\/bdi>/)
  expect(html).toContain('ui://&lt;script&gt;alert(1)&lt;/script&gt;</bdi>')
})

test('what was changed here is told in the words of the pages, and what somebody did to their own apps is not told as done to all', () => {
  const told = (action: string, detail: AuditRow['detail'] = null) => callRowOf(row({ kind: 'admin', action, detail }), reader).tool
  expect(told('grant.switch')).toBe('App switched to another profile')
  expect(told('everything.pause', { whose: 'everyone' })).toBe('Everything paused')
  expect(told('everything.pause', { whose: 'own' })).toBe('All own apps paused')
  expect(told('connection.resume', { whose: 'own' })).toBe('Connection resumed for own apps')
  expect(told('grant.pause', { whose: 'own' })).toBe('App paused')
  expect(told('house.tidy-up')).toBe('House tidy up')
})

test('every deed that a room reports has its words', () => {
  const actions = [...new Glob('**/*.ts').scanSync('src')].flatMap((file) =>
    [...readFileSync(`src/${file}`, 'utf8').matchAll(/action: '([a-z-]+\.[a-z-]+)'|'(notice-way\.[a-z]+)'/g)].map(
      ([, reported, way]) => reported ?? way ?? '',
    ),
  )
  expect(actions.length).toBeGreaterThan(20)
  const own = (action: string) => callRowOf(row({ kind: 'admin', action }), reader).tool
  const asNamed = (action: string) => action.replaceAll(/[._-]+/g, ' ')
  expect(actions.filter((action) => own(action).toLowerCase() === asNamed(action))).toEqual([])
})
