/** The pages and commands by which clients, grants and access tokens are looked after. */
import type { Requirement } from '../requirements.ts'

export const registry: readonly Requirement[] = []
