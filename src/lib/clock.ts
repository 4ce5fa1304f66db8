/** Milliseconds since 1970. Rooms take it as a dependency, so that tests can let ninety days pass. */
export type Clock = () => number

export const SECOND_MS = 1_000
export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000
