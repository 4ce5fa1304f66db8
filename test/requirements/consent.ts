/** The page on which a person lets an app in, and what follows from their answer. */
import type { Requirement } from '../requirements.ts'

export const consent: readonly Requirement[] = []
