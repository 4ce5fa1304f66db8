/** The audit trail: what was called, administered and authenticated. Written once, never edited. */
export { type Audit, type CallRecord, createAudit } from './audit.ts'
export type { Contents, KeptContents } from './contents.ts'
export { type AuditRow, type NewRow, verifyChain } from './chain.ts'
export type { Outcome, RowFilter } from './finding.ts'
export { mayRead } from './reading.ts'
export { type Counting, createCounting } from './counting.ts'
export { createTrace, type Trace, type TraceEntry, type TraceNote, type TraceStep } from './trace.ts'
export { quantile, type Usage } from './usage.ts'
