/** What a user let an app do: with which profile and tools, until when, and how it ends. */
export { type Control, createControl } from './control.ts'
export { decide, pausedSentence, permissionOf, state } from './decide.ts'
export { type Approvals, createApprovals, type Decision } from './approvals.ts'
export { type Approval, hashOf as approvalHashOf } from './approval-rows.ts'
export { createKept, type Kept } from './kept.ts'
export {
  type Allowance,
  CALLS_AT_ONCE_DEFAULT,
  createLimits,
  type Limit,
  LimitReached,
  type Limits,
  type LimitSubject,
} from './limits.ts'
export { createGrants, type Grants } from './grants.ts'
export type { Pause } from './pauses.ts'
export type { Grant, Usage } from './reading.ts'
export { createDigests, type DigestMessage, type Digests } from './digests.ts'
export type { Subject, Whose } from './subjects.ts'
export { newlyOf } from './switching.ts'
