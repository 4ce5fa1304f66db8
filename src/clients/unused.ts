import { and, desc, eq, inArray, isNotNull } from 'drizzle-orm'
import { clients, type Writer } from '@/store'

/** Clients of one kind that nobody let in. Each costs whoever makes it one request, and everybody else the room for it. */
const UNUSED_MAX = 2_000
/** SQLite knows no offset without a limit. */
const ALL = 1_000_000

/** Where one more would be one too many, the one that expires first goes first. Belongs into the transaction that adds one. */
export async function makeRoom(tx: Writer, kind: 'dynamic' | 'document'): Promise<void> {
  const tooMany = tx
    .select({ id: clients.id })
    .from(clients)
    .where(and(isNotNull(clients.expiresAt), eq(clients.kind, kind)))
    .orderBy(desc(clients.expiresAt))
    .limit(ALL)
    .offset(UNUSED_MAX - 1)
  await tx.delete(clients).where(inArray(clients.id, tooMany))
}
