/** Following a client on its way in, and saying what is wrong. */
import type { Requirement } from '../requirements.ts'

export const doctor: readonly Requirement[] = []
