/** The authorization server beyond the code flow: pushed requests, devices, introspection, keys instead of secrets. */
import type { Requirement } from '../requirements.ts'

export const server: readonly Requirement[] = []
