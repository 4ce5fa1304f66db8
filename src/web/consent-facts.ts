/** An authorization request in the words of its page. Pure: what the page proposes, and how that differs from before. */
import { redirectKind } from '@/clients'
import type { Grant } from '@/grants'
import { DAY_MS } from '@/lib/clock.ts'
import type { ToolId } from '@/lib/ids.ts'
import type { OfferedProfile, Pending } from '@/oauth'
import type { Earlier, Replaceable } from '@views/consent-again.tsx'
import type { ReturnPlace, Verification } from '@views/consent-parts.tsx'
import { inWords } from './offered.ts'

export function verificationOf({ kind, identifier }: Pending['client']): Verification {
  if (kind === 'registered') return { level: 'registered' }
  return kind === 'document' ? { level: 'document', host: new URL(identifier).host } : { level: 'unverified' }
}

export function placeOf(answer: Pending['answer']): ReturnPlace {
  if (answer.kind === 'device') return answer
  const kind = redirectKind(answer.uri)
  const { protocol, host } = new URL(answer.uri)
  return { kind, to: kind === 'scheme' ? `${protocol}${host && `//${host}`}` : host }
}

const isOn = (grant: Grant, id: ToolId): boolean => ['allow', 'ask'].includes(grant.tools.get(id) ?? 'refuse')

/** What comes up switched on: as it was decided for this profile before, else all that destroys nothing. */
export function proposedTools({ tools, profile, earlier: [latest] }: Pending): Set<string> {
  const before = latest && latest.profileId === profile?.id ? latest : undefined
  return new Set(tools.filter(({ toolId, kind }) => (before ? isOn(before, toolId) : kind !== 'destructive')).map(({ toolId }) => toolId))
}

const LASTS: Record<string, string> = { day: 'after 1 day', month: 'after 30 days', never: 'when revoked' }

/** As long as it was allowed before. */
export function proposedExpiry({ earlier: [latest] }: Pending): string {
  if (!latest) return 'month'
  if (latest.expiresAt === null) return 'never'
  return latest.expiresAt - latest.createdAt > DAY_MS ? 'month' : 'day'
}

type Proposed = { on: ReadonlySet<string>; expires: string; profiles: readonly OfferedProfile[] }

/** Against the latest connection, which is the one that its user remembers. */
export function earlierOf(pending: Pending, { on, expires, profiles }: Proposed): Earlier | undefined {
  const { tools, profile, earlier } = pending
  const [latest] = earlier
  if (!latest) return undefined
  const offered = new Set(tools.map(({ toolId }) => toolId))
  const namesOf = (which: (id: ToolId) => boolean) => tools.filter(({ toolId }) => which(toolId)).map(inWords)
  const before = proposedExpiry(pending)
  return {
    at: latest.createdAt,
    profile: latest.profileId === profile?.id ? undefined : titleOf(profiles, latest),
    added: namesOf((id) => on.has(id) && !isOn(latest, id)),
    dropped: namesOf((id) => !on.has(id) && isOn(latest, id)),
    left: latest.profileId === profile?.id ? namesOf((id) => !on.has(id) && !isOn(latest, id)) : [],
    gone: [...latest.tools.keys()].filter((id) => isOn(latest, id) && !offered.has(id)).length,
    lasts: before === expires ? undefined : { before: LASTS[before] ?? before, now: LASTS[expires] ?? expires },
  }
}

const titleOf = (profiles: readonly OfferedProfile[], { profileId }: Grant): string =>
  profiles.find(({ id }) => id === profileId)?.title ?? 'a profile that is not yours'

/**
 * What this one may take the place of. A registration is one install, which asks anew because it lost what it had: the
 * connection to the same address is replaced unless the user says otherwise. A document stands for every install.
 */
export function replaceableOf({ client, profile, profileName, earlier }: Pending, profiles: readonly OfferedProfile[]): Replaceable[] {
  const isSameAddress = (grant: Grant) =>
    profileName === undefined ? grant.reach === 'any' : grant.reach === 'profile' && grant.profileId === profile?.id
  return earlier.map((grant) => ({
    id: grant.id,
    device: grant.deviceName,
    profile: titleOf(profiles, grant),
    at: grant.createdAt,
    on: client.kind === 'dynamic' && isSameAddress(grant),
  }))
}
