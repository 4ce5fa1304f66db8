/** Pausing, resuming and revoking where the page itself is somebody else's business: a profile, and what administrators control. */
import { z } from 'zod'
import type { Subject } from '@/grants'
import { ClientId, ProfileId, UserId } from '@/lib/ids.ts'
import { type ControlDeps, type Deed, turnMany } from './control.ts'
import type { Page, Seen } from './needs.ts'

type Deps = Page & ControlDeps

export const profileControlRoutes = (deps: Deps) => {
  const One = { params: z.object({ id: ProfileId }) }
  const turn = (seen: Seen, id: ProfileId, deed: Deed) =>
    turnMany(deps, seen, { subject: { kind: 'profile', id }, whose: 'everyone', back: `/profiles/${id}` }, deed)
  return deps.doors
    .member('/profiles')
    .post('/:id/pause', ({ params: { id }, ...seen }) => turn(seen, id, 'pause'), One)
    .post('/:id/resume', ({ params: { id }, ...seen }) => turn(seen, id, 'resume'), One)
    .post('/:id/revoke', ({ params: { id }, ...seen }) => turn(seen, id, 'revoke'), One)
}

/** Of everyone here: behind the administrators' door, and asked for once more by the room. */
export const adminControlRoutes = (deps: Deps) => {
  const turn = (seen: Seen, subject: Subject, back: string, deed: Deed) => turnMany(deps, seen, { subject, whose: 'everyone', back }, deed)
  const house = (seen: Seen, deed: Deed) => turn(seen, { kind: 'everything' }, '/admin', deed)
  const person = (seen: Seen, id: UserId, deed: Deed) => turn(seen, { kind: 'user', id }, '/admin', deed)
  const client = (seen: Seen, id: ClientId, deed: Deed) => turn(seen, { kind: 'client', id }, `/admin/clients/${id}`, deed)
  const Person = { params: z.object({ id: UserId }) }
  const Client = { params: z.object({ id: ClientId }) }
  return deps.doors
    .admin('/admin')
    .post('/pause', (seen) => house(seen, 'pause'))
    .post('/resume', (seen) => house(seen, 'resume'))
    .post('/revoke', (seen) => house(seen, 'revoke'))
    .post('/users/:id/pause', ({ params: { id }, ...seen }) => person(seen, id, 'pause'), Person)
    .post('/users/:id/resume', ({ params: { id }, ...seen }) => person(seen, id, 'resume'), Person)
    .post('/users/:id/revoke', ({ params: { id }, ...seen }) => person(seen, id, 'revoke'), Person)
    .post('/clients/:id/pause', ({ params: { id }, ...seen }) => client(seen, id, 'pause'), Client)
    .post('/clients/:id/resume', ({ params: { id }, ...seen }) => client(seen, id, 'resume'), Client)
    .post('/clients/:id/revoke', ({ params: { id }, ...seen }) => client(seen, id, 'revoke'), Client)
}
