/** Rows of the audit trail in the words of the activity page. */
import { expect, test } from 'bun:test'
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
