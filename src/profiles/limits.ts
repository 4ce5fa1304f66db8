/** What the common clients can take, so that a profile too large for one is seen here and not guessed at there. */
import type { ProfileView } from './view.ts'

export type ClientLimit = { client: string; ok: boolean; why: string }
type Limit = { client: string; toolsMax: number; nameCharsMax?: number }

const LIMITS: readonly Limit[] = [
  { client: 'Cursor', toolsMax: 40, nameCharsMax: 60 },
  { client: 'VS Code', toolsMax: 128 },
  { client: 'Windsurf', toolsMax: 100 },
]

export function clientLimits({ profile, tools }: Pick<ProfileView, 'tools'> & { profile: { name: string } }): ClientLimit[] {
  return LIMITS.map(({ client, toolsMax, nameCharsMax }) => {
    if (tools.length > toolsMax) return { client, ok: false, why: `${client} takes ${toolsMax} tools; this profile has ${tools.length}.` }
    // Cursor counts the server's name, as it stands in its configuration, together with the tool's.
    const long = tools.filter((tool) => nameCharsMax !== undefined && profile.name.length + 1 + tool.exposedName.length > nameCharsMax)
    if (long.length > 0)
      return {
        client,
        ok: false,
        why: `${client} leaves out tools whose name with the server's is longer than ${nameCharsMax}: ${long.length} here.`,
      }
    return { client, ok: true, why: `Fits: ${tools.length} of ${toolsMax} tools.` }
  })
}
