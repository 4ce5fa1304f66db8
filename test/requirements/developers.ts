/** What applications and their developers are given: the connect panel, the guide, the sample. */
import type { Requirement } from '../requirements.ts'

export const developers: readonly Requirement[] = []
