/** When a weekly time was last due, by the clock of a place. */
import { expect, test } from 'bun:test'
import { isTimeZone, lastDue } from '../../src/grants/occurrence.ts'

const EVERY_DAY = 0b1111111
const MONDAY = 0b0000001
const berlin = 'Europe/Berlin'
const at = (text: string) => Date.parse(text)
const due = (days: number, time: string, now: string, timeZone = berlin) => {
  const [hours = 0, minutes = 0] = time.split(':').map(Number)
  const found = lastDue({ days, minuteOfDay: hours * 60 + minutes, timeZone }, at(now))
  return found === undefined ? undefined : new Date(found).toISOString()
}

test.each([
  ['today, once it has come', EVERY_DAY, '09:00', '2026-11-30T08:00:00Z', '2026-11-30T08:00:00.000Z'],
  ['yesterday, a moment before', EVERY_DAY, '09:00', '2026-11-30T07:59:59Z', '2026-11-29T08:00:00.000Z'],
  ['on its day alone', MONDAY, '09:00', '2026-12-05T12:00:00Z', '2026-11-30T08:00:00.000Z'],
  ['a week ago, on its day before its time', MONDAY, '09:00', '2026-11-30T07:00:00Z', '2026-11-23T08:00:00.000Z'],
  ['at the end of a day that is another one in UTC', MONDAY, '23:59', '2026-12-01T00:00:00Z', '2026-11-30T22:59:00.000Z'],
])('[CONTROL-SCHEDULE] it was due %s', (_, days, time, now, expected) => {
  expect(due(days, time, now)).toBe(expected)
})

test('[CONTROL-SCHEDULE] it was never due without a day', () => {
  expect(due(0, '09:00', '2026-11-30T08:00:00Z')).toBeUndefined()
})

test('[CONTROL-SCHEDULE] it keeps to the clock on the wall when the offset changes', () => {
  expect(due(EVERY_DAY, '09:00', '2026-03-28T12:00:00Z')).toBe('2026-03-28T08:00:00.000Z')
  expect(due(EVERY_DAY, '09:00', '2026-03-29T12:00:00Z')).toBe('2026-03-29T07:00:00.000Z')
  expect(due(EVERY_DAY, '09:00', '2026-10-25T12:00:00Z')).toBe('2026-10-25T08:00:00.000Z')
})

test('[CONTROL-SCHEDULE] a time that clocks jump over is as much later, and one that comes twice is the first', () => {
  // 29 March 2026, Berlin: 02:00 becomes 03:00.
  expect(due(EVERY_DAY, '02:30', '2026-03-29T00:59:59Z')).toBe('2026-03-28T01:30:00.000Z')
  expect(due(EVERY_DAY, '02:30', '2026-03-29T12:00:00Z')).toBe('2026-03-29T01:30:00.000Z')
  // 25 October 2026: 03:00 becomes 02:00.
  expect(due(EVERY_DAY, '02:30', '2026-10-25T00:30:00Z')).toBe('2026-10-25T00:30:00.000Z')
  expect(due(EVERY_DAY, '02:30', '2026-10-25T12:00:00Z')).toBe('2026-10-25T00:30:00.000Z')
})

test('[CONTROL-SCHEDULE] half-hour zones, and the other side of the date line', () => {
  expect(due(EVERY_DAY, '09:00', '2026-11-30T12:00:00Z', 'Asia/Kolkata')).toBe('2026-11-30T03:30:00.000Z')
  expect(due(MONDAY, '09:00', '2026-11-30T00:00:00Z', 'Pacific/Kiritimati')).toBe('2026-11-29T19:00:00.000Z')
})

test('[CONTROL-SCHEDULE] what is no place is none', () => {
  expect(['Europe/Berlin', 'UTC', 'Mars/Phobos', '', '+01:00', '../etc'].map(isTimeZone)).toEqual([true, true, false, false, false, false])
})
