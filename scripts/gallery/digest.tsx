/** The weekly digest of a quiet week and of a busy one. */
import type { Html } from '@views/jsx-runtime'
import { DigestPage } from '@views/digest.tsx'
import { DAY, now, shell } from './samples.ts'
import { EVIL, LONG } from './samples-text.ts'

const week = { shell, from: now - 7 * DAY, to: now }
const href = '/activity'

export const digestPages: Record<string, Html> = {
  'digest-empty': (
    <DigestPage {...week} calls={0} callsBefore={0} failed={0} refused={0} tools={[]} apps={[]} newApps={[]} troubled={[]} unused={0} />
  ),
  'digest-one': (
    <DigestPage
      {...week}
      {...{ calls: 1, callsBefore: 0, failed: 0, refused: 0, unused: 1 }}
      tools={[{ name: 'echo', href, calls: 1 }]}
      apps={[{ name: 'Claude Code', href, calls: 1 }]}
      newApps={[]}
      troubled={[]}
    />
  ),
  digest: (
    <DigestPage
      {...week}
      {...{ calls: 1_204, callsBefore: 980, failed: 31, refused: 4, unused: 61 }}
      tools={[
        { name: 'list_issues', href, calls: 611 },
        { name: EVIL, href, calls: 300 },
        { name: LONG, href, calls: 12 },
      ]}
      apps={[
        { name: 'Claude Code', href, calls: 1_000 },
        { name: EVIL, href, calls: 204 },
      ]}
      newApps={[{ name: 'VS Code', href }]}
      troubled={[{ name: 'Linear', href, note: 'Its sign-in has run out. Sign in again.' }]}
    />
  ),
}
