import type { Audit } from '@/audit'
import type { GrantId, ProfileId } from '@/lib/ids.ts'
import type { Log } from '@/lib/log.ts'
import type { Sealer, Store } from '@/store'
import { createAnswering } from './answering.ts'
import { createCalls } from './calls.ts'
import { createEntrance, type EntranceDeps } from './caller.ts'
import { createConversations } from './conversations.ts'
import { createServe } from './endpoint.ts'
import { createResumable } from './events.ts'
import { createLane, type LaneDeps } from './lane.ts'
import { createLegacy } from './legacy.ts'
import { createLimiting, type LimitingDeps } from './limiting.ts'
import { createListeners } from './listeners.ts'
import { createModern } from './modern.ts'
import { createOthers, type OthersDeps } from './others.ts'
import { createQuestions } from './questions.ts'
import { createReplaying } from './replaying.ts'
import { createSearching } from './searching.ts'
import { createServing, type ServingDeps } from './serving.ts'
import { createSessions } from './sessions.ts'
import { createSignInLinks } from './signing-in.ts'
import { createStates } from './states.ts'
import { createTargets } from './targets.ts'

/** A grant that runs out by itself is announced by nobody; its streams have to end all the same. */
const LOOK_FOR_EXPIRED_EVERY_MS = 500
/** For the sentence that tells a waiting call what became of it. */
const ANSWERING_MS = 25

type Needs = Pick<ServingDeps, 'profiles' | 'connections' | 'approvals' | 'approvalWaitMs' | 'clients' | 'users'> &
  Pick<LaneDeps, 'connections'> & { audit: Pick<Audit, 'record' | 'write'> } & Pick<OthersDeps, 'profiles' | 'connections'>
type Deps = Omit<EntranceDeps, 'store' | 'profiles'> &
  Needs &
  Omit<LimitingDeps, 'calls'> & {
    profiles: EntranceDeps['profiles']
    connections: Parameters<typeof createListeners>[0]['connections'] & {
      credentialMark: Parameters<typeof createSignInLinks>[0]['credentialMark']
    }
    store: Store
    sealer: Pick<Sealer, 'keyFor'>
    log: Log
  }

export function createGateway(deps: Deps) {
  const { clock, sealer, log, store, connections } = deps
  const calls = createCalls({ clock })
  const resumable = createResumable()
  const conversations = createConversations()
  const questions = createQuestions()
  const states = createStates({ key: sealer.keyFor('gateway states'), clock })
  const sessions = createSessions({ store, clock, key: sealer.keyFor('legacy session') })
  const targets = createTargets({ connections, clock })
  const searching = createSearching({ targets })
  const signInLinks = createSignInLinks({ key: sealer.keyFor('sign-in links'), clock, credentialMark: connections.credentialMark })
  const limiting = createLimiting({ ...deps, calls })
  const serving = createServing({ ...deps, states, targets, searching, signInLinks, limiting })
  const others = createOthers({ ...deps, states, targets, searching, tasks: serving.tasks, limiting })
  const listeners = createListeners({ ...deps, lists: others.lists })
  const answering = createAnswering({ calls, log })
  const lane = createLane({ ...deps, targets, calls, answering, serving, limiting })
  const legacy = createLegacy({ serving, others, calls, listeners, sessions, questions, resumable, answering, lane })
  const modern = createModern({ serving, others, conversations, listeners, states, answering, lane })
  const replaying = createReplaying({ ...deps, views: deps.profiles, targets, serving, calls })
  const endNow = (grantId: GrantId): void => {
    listeners.endOf(grantId)
    conversations.endOf(grantId)
    calls.endOf(grantId)
    sessions.forgetOf(grantId, (id) => resumable.endOf((of) => of === id || of === grantId))
  }
  /** Whoever waits for a person is answered first. */
  const endOf = (grantId: GrantId): void => {
    if (serving.endWaiting(grantId)) setTimeout(() => endNow(grantId), ANSWERING_MS)
    else endNow(grantId)
  }
  const timer = setInterval(() => {
    for (const grantId of listeners.expired(clock())) endOf(grantId)
  }, LOOK_FOR_EXPIRED_EVERY_MS)
  timer.unref()
  return {
    serve: createServe({ entrance: createEntrance(deps), legacy, modern, log }),
    /** Whether a sign-in link was made for this user and connection; for the page that it leads to. */
    isSignInLinkFor: signInLinks.isFor,
    /** A call made once more from its page. */
    replaying,
    /** The grant has ended: its streams close and its calls are cancelled, upstream too. */
    endOf,
    /** A connection is paused for this grant: its calls there end. */
    endCallsTo: calls.endTo,
    /** Grants with an open stream or a call under way. */
    open: (): GrantId[] => [...new Set([...listeners.grants(), ...conversations.grants(), ...calls.grants()])],
    /** What the profile serves has changed; apps with an open stream are told where their own list is another now. */
    profileChanged: listeners.profileChanged as (id: ProfileId) => void,
    grantChanged: listeners.grantChanged as (id: GrantId) => void,
    sweep: sessions.sweep,
    close(): void {
      clearInterval(timer)
      listeners.close()
      conversations.close()
      calls.close()
      resumable.close()
    },
  }
}

export type Gateway = ReturnType<typeof createGateway>
