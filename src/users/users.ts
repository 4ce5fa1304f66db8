import type { Audit } from '@/audit'
import type { Changes } from '@/lib/changes.ts'
import type { Clock } from '@/lib/clock.ts'
import type { Store } from '@/store'
import { createAccountRows, createAdministration, createLookups } from './accounts.ts'
import { createGuessing } from './guessing.ts'
import { createLinks } from './links.ts'
import { createLinkLogins, createLogins } from './logins.ts'
import { createPasswords } from './passwords.ts'
import { createSessions } from './sessions.ts'

export function createUsers(house: { store: Store; audit: Audit; clock: Clock; changes: Changes }) {
  const deps = {
    ...house,
    hashing: createPasswords(),
    sessions: createSessions(house),
    guessing: createGuessing(),
    links: createLinks(house),
    rows: createAccountRows(house),
    lookups: createLookups(house),
  }
  return { sessions: deps.sessions, ...deps.lookups, ...createAdministration(deps), ...createLogins(deps), ...createLinkLogins(deps) }
}
export type Users = ReturnType<typeof createUsers>
