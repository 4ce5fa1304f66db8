/** Access tokens that people make for scripts of their own: no app in between, one token for one profile and these tools. */
import { cleanText } from '@/clients'
import { type Clock, DAY_MS } from '@/lib/clock.ts'
import { randomSecret, sha256 } from '@/lib/crypto.ts'
import { Failure } from '@/lib/failure.ts'
import type { GrantId, ProfileId, ToolId, UserId } from '@/lib/ids.ts'
import { type Grant, state } from '@/grants'
import { tokens } from '@/store'
import type { Deps, Profile } from './needs.ts'
import { type House, resourceAddress } from './places.ts'

const LASTS_MS = { day: DAY_MS, month: 30 * DAY_MS, year: 365 * DAY_MS, never: undefined } as const
/** The column asks for a time, and the sweep compares with it. */
export const NEVER = Date.UTC(9999, 11, 31)
const NAME_LENGTH_MAX = 60
/** Apps and tokens of one user that hold at the same time. */
const LIVE_MAX = 500

export type ScriptExpiry = keyof typeof LASTS_MS
export type NewScriptToken = House & {
  name: string
  profileId: ProfileId
  toolIds: readonly ToolId[]
  expires: ScriptExpiry
  /** Where the person sits who makes it. */
  address: string
}
export type ScriptToken = { token: string; grantId: GrantId; resource: string }

export function createScripts(deps: Pick<Deps, 'store' | 'clients' | 'grants' | 'profiles' | 'audit' | 'clock'>) {
  const { store, clients, grants, audit, clock } = deps
  return {
    /**
     * Shown once: what is stored is its hash.
     * @throws Failure `invalid_form` (fields name, tool_id), `profile_not_found`, `too_many`
     */
    async issueScriptToken(user: { id: UserId; username: string }, asked: NewScriptToken): Promise<ScriptToken> {
      const name = cleanText(asked.name, NAME_LENGTH_MAX)
      const profile = await demandProfile(deps, user.id, asked.profileId)
      const toolIds = await demandChoice(deps, profile, asked.toolIds, name)
      if (live(await grants.listForUser(user.id), clock) >= LIVE_MAX) throw new Failure('too_many')
      const token = `tpa_${randomSecret()}`
      const resource = resourceAddress(asked, profile.name)
      const lastsMs = LASTS_MS[asked.expires]
      const now = clock()
      const expiresAt = lastsMs === undefined ? null : now + lastsMs
      const grantId = await store.transact(async (tx) => {
        const client = await clients.createScript(tx, name, user.id, asked.address)
        const about = { userId: user.id, clientId: client.id, profileId: profile.id }
        const grant = await grants.create(tx, { ...about, reach: 'profile', toolIds, deviceName: '', expiresAt })
        // Nobody has to come back for a code: it is in use from the start.
        await grants.activate(tx, grant.id)
        const hash = sha256(token)
        const row = { hash, kind: 'access' as const, grantId: grant.id, clientId: client.id, family: hash, resource, scope: 'mcp' }
        await tx.insert(tokens).values({ ...row, issuedAt: now, expiresAt: expiresAt ?? NEVER })
        const names = { userName: user.username, clientName: client.name, profileName: profile.title, subject: client.name }
        const where = { grantId: grant.id, address: asked.address }
        await audit.report({ kind: 'admin', action: 'token.create', outcome: 'ok', ...about, ...names, ...where }, tx)
        return grant.id
      })
      return { token, grantId, resource }
    },
  }
}

const live = (all: readonly Grant[], clock: Clock): number => {
  const now = clock()
  return all.filter((grant) => !['revoked', 'expired'].includes(state(grant, now))).length
}

/** Their own. Someone else's and a missing one look alike. */
async function demandProfile({ profiles }: Pick<Deps, 'profiles'>, userId: UserId, id: ProfileId): Promise<Profile> {
  const profile = (await profiles.list(userId)).find((each) => each.id === id)
  if (!profile) throw new Failure('profile_not_found')
  return profile
}

/** Only tools that the profile serves now: an id from elsewhere must not wait in a grant until it happens to mean something. */
async function demandChoice(
  { profiles }: Pick<Deps, 'profiles'>,
  profile: Profile,
  asked: readonly ToolId[],
  name: string,
): Promise<ToolId[]> {
  const offered = new Set((await profiles.viewFor(profile.ownerId, profile.id)).offered.map(({ toolId }) => toolId))
  const fields: Record<string, string> = {}
  if (name === '') fields['name'] = 'Give it a name, so that you know later what uses it.'
  if (asked.length === 0) fields['tool_id'] = 'Switch on at least one of them.'
  else if (asked.some((toolId) => !offered.has(toolId))) fields['tool_id'] = 'Something has left this profile meanwhile. Choose again.'
  if (Object.keys(fields).length > 0) throw new Failure('invalid_form', { fields })
  return [...asked]
}
