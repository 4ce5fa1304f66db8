/** When something that comes back on days of the week was last due, in a place on earth. Pure. */

export type Weekly = {
  /** Bit 0 is Monday. */
  days: number
  minuteOfDay: number
  /** An IANA name. */
  timeZone: string
}

const DAYS_OF_A_WEEK = 7
const MINUTES_OF_AN_HOUR = 60

/**
 * The latest time, not after `now`, at which it was due; undefined where no day is chosen. On the day on which clocks are put forward, a
 * time that does not exist is as much later; on the day on which they are put back, a time that comes twice is the first of the two.
 * @throws RangeError for a time zone that is none
 */
export function lastDue({ days, minuteOfDay, timeZone }: Weekly, now: number): number | undefined {
  const today = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(timeZone).toPlainDate()
  const time = new Temporal.PlainTime(Math.floor(minuteOfDay / MINUTES_OF_AN_HOUR), minuteOfDay % MINUTES_OF_AN_HOUR)
  // Today's may still be ahead, so that the same weekday of last week has to be looked at as well.
  for (let back = 0; back <= DAYS_OF_A_WEEK; back += 1) {
    const date = today.subtract({ days: back })
    if ((days & (1 << (date.dayOfWeek - 1))) === 0) continue
    const at = date.toZonedDateTime({ timeZone, plainTime: time }).epochMilliseconds
    if (at <= now) return at
  }
  return undefined
}

export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined && !/^[+-]/.test(name)
  } catch {
    return false
  }
}
