/** Following a client on its way in, and saying what is wrong. */
import type { Requirement } from '../requirements.ts'

const OURS = 'ARCHITECTURE.md#words'
const mcp = (page: string) => `https://modelcontextprotocol.io/specification/2026-07-28/${page}`

export const doctor: readonly Requirement[] = [
  { id: 'DOCTOR-WAY', says: 'The doctor shows each step of a client from the first knock to the first request, live.', clause: OURS },
  { id: 'DOCTOR-WHY', says: 'The doctor names the reason of each refusal and how to fix it, the most likely first.', clause: OURS },
  {
    id: 'DOCTOR-401',
    says: 'The doctor tells why a token was turned away; the client hears only that it was.',
    clause: 'https://www.rfc-editor.org/rfc/rfc6750#section-3.1',
  },
  {
    id: 'DOCTOR-PRIVATE',
    says: 'Members see what they did, what came from their address and what a registration did that they signed in for; administrators see all.',
    clause: OURS,
  },
  {
    id: 'DOCTOR-NO-SECRET',
    says: 'No token, code, state, challenge or query string is kept in the trace or shown on the page.',
    clause: OURS,
  },
  {
    id: 'DOCTOR-SELF',
    says: 'The doctor fetches our documents through the public address and compares them letter by letter.',
    clause: mcp('basic/authorization'),
  },
  { id: 'DOCTOR-FREE', says: 'Watching costs a repeated valid request no entry, no wait and no allocation.', clause: OURS },
  { id: 'DOCTOR-BOUND', says: 'The trace keeps a bounded number of entries, and one network cannot push the others out.', clause: OURS },
]
