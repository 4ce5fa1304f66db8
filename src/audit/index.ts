/** The audit trail: what was called, administered and authenticated. Written once, never edited. */
export { type Audit, type CallRecord, createAudit, type Outcome, type RowFilter } from './audit.ts'
export { type AuditRow, type NewRow, verifyChain } from './chain.ts'
export { createTrace, type Trace, type TraceEntry, type TraceNote, type TraceStep } from './trace.ts'
