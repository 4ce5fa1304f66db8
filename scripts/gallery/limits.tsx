/** Limits: full, nearly used up, empty and refused. */
import { LimitsPage, type LimitsProps } from '@views/limits.tsx'
import { now, SECOND, shell } from './samples.ts'

const seen = {
  limit: { callsPerMinute: 60, callsPerDay: 1_000, callsAtOnce: 4, resultBytes: 200_000, callSeconds: 30 },
  use: { minute: 12, today: 962, now: 1 },
  byName: 'kim',
  at: now - 7_200 * SECOND,
}
export const noLimits: LimitsProps = { kind: 'app', action: '/apps/grt_1/limits', also: [] }
export const appLimits: LimitsProps = {
  ...noLimits,
  seen,
  also: [
    { what: 'All your apps together', seen: { ...seen, limit: { ...seen.limit, callsAtOnce: null, callSeconds: null }, byName: 'root' } },
    { what: 'Linear', seen: { ...seen, limit: { ...seen.limit, callsPerDay: null, resultBytes: null } } },
  ],
}
export const connectionLimits: LimitsProps = {
  ...noLimits,
  kind: 'connection',
  seen: { ...seen, limit: { ...seen.limit, callsPerDay: null } },
}

const users = { href: '/admin', label: 'Users' }
const ofUser: LimitsProps = { ...noLimits, kind: 'user', action: '/admin/users/usr_1/limits' }
export const limitPages = {
  'limits-user': <LimitsPage shell={shell} name="mia" back={users} limits={ofUser} />,
  'limits-refused': (
    <LimitsPage
      shell={shell}
      name="mia"
      back={users}
      limits={{
        ...ofUser,
        seen,
        form: {
          values: { calls_per_minute: '0', result_kb: '0' },
          errors: {
            calls_per_minute: 'A whole number between 1 and 100,000, or nothing.',
            result_kb: 'Between 1 and 16,000 kB, or nothing.',
          },
        },
      }}
    />
  ),
}
