/** The audit trail: what stands in it, who reads it, and that it can be believed. */
import type { Requirement } from '../requirements.ts'

const here = (heading: string) => `docs/guides/audit-trail.md#${heading}`

export const trail: readonly Requirement[] = [
  {
    id: 'TRAIL-CONTENTS',
    says: 'Arguments and results stand beside their row as far as the profile keeps them: sealed, under a hash that the chain vouches for, and of refused calls too.',
    clause: here('what-is-kept'),
  },
  {
    id: 'TRAIL-REDACTED',
    says: 'Secrets and personal data are taken out of contents, addresses, reasons and purposes before they are written, by the rules of secretlint and by our own.',
    clause: here('what-is-taken-out'),
  },
  {
    id: 'TRAIL-BOUNDED',
    says: 'Where too much waits to be written, contents are left out with a word in their row; the row stays, memory is bounded, and no call waits for it.',
    clause: here('what-is-kept'),
  },
  {
    id: 'TRAIL-READERS',
    says: "A call's contents are read by who made it and by nobody else; an administrator sees the rows of all, and each look at somebody else's is recorded.",
    clause: here('who-reads-it'),
  },
  {
    id: 'TRAIL-RETENTION',
    says: 'What is older or more than the trail keeps is removed from its beginning, in steps, with a signed checkpoint and a row that says so; what remains stays proven.',
    clause: here('how-long'),
  },
  {
    id: 'TRAIL-VERIFY',
    says: 'Proving the trail finds the first row that was altered, moved or taken out, contents that are not as they were, and a beginning or an end that is missing.',
    clause: here('proving-it'),
  },
  {
    id: 'TRAIL-FORWARD',
    says: 'A forwarder gets each row in order and at least once, over restarts and failures of the receiver, without contents, and never holds up a call.',
    clause: here('sending-it-elsewhere'),
  },
  {
    id: 'TRAIL-OTLP',
    says: 'Over OTLP/HTTP a row is a log record and a call a span with the trace id of its client.',
    clause: 'https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding',
  },
  {
    id: 'TRAIL-SYSLOG',
    says: 'Over syslog a row is one message of RFC 5424, framed by its octets, over TLS with a verified name or over TCP.',
    clause: 'https://www.rfc-editor.org/rfc/rfc5425#section-4.3',
  },
  {
    id: 'TRAIL-EXPORT',
    says: "What the filters find can be taken away as CSV or lines of JSON, in bounded memory, with contents of one's own calls alone; each export is recorded.",
    clause: here('taking-it-away'),
  },
  {
    id: 'TRAIL-ACTS',
    says: 'Signing in and out, refused tries, what is changed here and by whom, and what apps are given and give back stand in the trail.',
    clause: here('the-audit-trail'),
  },
  {
    id: 'TRAIL-KEEPS',
    says: 'A profile keeps of its calls nothing but sizes, everything, or everything but secrets, as its owner chose, from the next call on.',
    clause: here('what-is-kept'),
  },
]
