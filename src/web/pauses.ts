/** Pauses in the words of the pages. */
import type { Grant, Pause } from '@/grants'
import type { PausedWith } from '@views/parts/paused.tsx'

export const pausedWithOf = ({ kind, userId, byName, at }: Pause): PausedWith => ({ kind, own: userId !== '', byName, at })

/** All that it is paused with, the most general first and itself last. */
export const pausesOf = ({ pauses, pausedAt }: Grant): PausedWith[] => [
  ...pauses.map(pausedWithOf),
  ...(pausedAt === null ? [] : [{ kind: 'grant' as const, own: true, byName: '', at: pausedAt }]),
]
