/** What surrounds each page: addresses of the files, who looks at it, and what the last page left to be said. */
import { z } from 'zod'
import { cookieHeader, readCookie } from '@/http/cookies.ts'
import type { Files } from '@/http/files.ts'
import { incomingOf } from '@/http/incoming.ts'
import type { UserId } from '@/lib/ids.ts'
import type { Pause } from '@/grants'
import type { User } from '@/users'
import type { Assets, BareShell, Shell } from '@views/layout.tsx'
import type { ToastMessage } from '@views/parts/toast.tsx'
import { pausedWithOf } from './pauses.ts'

const NOTICE_LENGTH_MAX = 300
const Notice = z.object({ tone: z.enum(['good', 'bad']), text: z.string().min(1).max(NOTICE_LENGTH_MAX) })

export type Shells = {
  assets: Assets
  bare(request: Request): BareShell
  full(request: Request, user: User): Shell
  /** The cookies of a page that has shown the notice: it is said once. */
  said(request: Request): readonly string[]
}

const cookieOf = (request: Request) => readCookie(request, incomingOf(request), 'notice')

/** A cookie is the browser's to change: what is no notice of ours is not shown. */
function toastsOf(request: Request): readonly ToastMessage[] {
  try {
    const notice = Notice.safeParse(JSON.parse(Buffer.from(cookieOf(request) ?? '', 'base64url').toString()))
    return notice.success ? [notice.data] : []
  } catch {
    return []
  }
}

type ShellDeps = {
  files: Pick<Files, 'address'>
  /** How many calls wait for a user. */
  waiting(userId: User['id']): number
  /** Stands on each page, so it has to be at hand. */
  pauses: { ofUser(userId: UserId): Pause | undefined }
}

export function createShell({ files, waiting, pauses }: ShellDeps): Shells {
  const assets: Assets = {
    css: files.address('toolpass.css'),
    js: files.address('toolpass.js'),
    htmx: files.address('htmx.js'),
    icon: files.address('favicon.svg'),
  }
  const bare = (request: Request): BareShell => ({ assets, toasts: toastsOf(request) })
  return {
    assets,
    bare,
    full(request, user) {
      const paused = pauses.ofUser(user.id)
      const viewer = { username: user.username, role: user.role }
      return { ...bare(request), viewer, waiting: waiting(user.id), paused: paused && pausedWithOf(paused) }
    },
    said: (request) => (cookieOf(request) === undefined ? [] : [cookieHeader(incomingOf(request), 'notice', '', 0)]),
  }
}
