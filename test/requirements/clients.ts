/** How clients become known: registration, metadata documents, keys, and what an administrator admits. */
import type { Requirement } from '../requirements.ts'

export const clients: readonly Requirement[] = []
