/** Pausing, resuming and revoking many apps at once, in the same way wherever the buttons stand. */
import type { Subject, Whose } from '@/grants'
import type { Reply } from '@/http/reply.ts'
import type { User } from '@/users'
import { appsInWords, type ManyStanding } from '@views/parts/paused.tsx'
import { pausedWithOf } from './pauses.ts'
import type { Control, Seen } from './needs.ts'

export type ControlDeps = { reply: Reply; control: Pick<Control, 'met' | 'paused' | 'pause' | 'resume' | 'revoke'> }
export type Deed = 'pause' | 'resume' | 'revoke'
export type Many = { subject: Subject; whose: Whose /** The page that the buttons stand on. */; back: string }

const wait = (apps: number) => (apps === 1 ? 'waits' : 'wait')

/** @throws Failure `administrators_only` and the like, as the room has it */
export async function turnMany({ reply, control }: ControlDeps, seen: Seen, { subject, whose, back }: Many, deed: Deed): Promise<Response> {
  const { request, incoming, user } = seen
  const said = (text: string) => reply.to(request, back, { cookies: [reply.notice(incoming, { tone: 'good', text })] })
  if (deed === 'revoke') {
    const apps = await control.revoke(user, subject, whose)
    return said(subject.kind === 'connection' ? `Taken from ${appsInWords(apps)}.` : `Revoked: ${appsInWords(apps)}.`)
  }
  await control[deed](user, subject, whose)
  if (deed === 'resume') return said('Resumed.')
  const { apps } = await control.met(user, subject, whose)
  if (subject.kind === 'connection') return said(`Paused. Its tools are refused to ${appsInWords(apps)}.`)
  return said(`Paused. ${appsInWords(apps)} ${wait(apps)} until you resume.`)
}

/** How many it is about, and whether it is paused. */
export async function standingOf(
  { control }: { control: Pick<Control, 'met' | 'paused'> },
  user: User,
  subject: Subject,
  whose: Whose,
): Promise<ManyStanding> {
  const met = await control.met(user, subject, whose)
  const paused = control.paused(user, subject, whose)
  return { ...met, paused: paused && pausedWithOf(paused) }
}
