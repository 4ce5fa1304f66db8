/** What the common clients can take, so that a profile too large for one is seen here and not guessed at there. */
import { KNOWN_CLIENTS, type KnownClient } from '@/clients'
import type { ProfileTool } from './tool.ts'

export type ClientLimit = { client: string; ok: boolean; why: string }
/** What is really listed, which may be the three tools that find others. */
type Measured = { profile: { name: string }; tools: readonly Pick<ProfileTool, 'exposedName'>[] }

const LIMITED = KNOWN_CLIENTS.filter(({ toolsMax, nameCharsMax }) => toolsMax !== undefined || nameCharsMax !== undefined)

export const clientLimits = (measured: Measured): ClientLimit[] => LIMITED.map((client) => limitOf(client, measured))

function limitOf({ name: client, toolsMax, nameCharsMax }: KnownClient, { profile, tools }: Measured): ClientLimit {
  if (toolsMax !== undefined && tools.length > toolsMax)
    return { client, ok: false, why: `${client} takes ${toolsMax} tools; this profile has ${tools.length}.` }
  // The server's name, as it stands in the client's configuration, counts together with the tool's.
  const long = tools.filter((tool) => nameCharsMax !== undefined && profile.name.length + 1 + tool.exposedName.length > nameCharsMax)
  if (long.length > 0)
    return {
      client,
      ok: false,
      why: `${client} takes no tool whose name with the server's is longer than ${nameCharsMax}: ${long.length} here.`,
    }
  return {
    client,
    ok: true,
    why: toolsMax === undefined ? 'Fits: the names are short enough.' : `Fits: ${tools.length} of ${toolsMax} tools.`,
  }
}
