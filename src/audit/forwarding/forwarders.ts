/** Who gets the trail as it grows: set up by administrators, each with its address sealed and how far it has come. */
import { asc, eq } from 'drizzle-orm'
import type { Clock } from '@/lib/clock.ts'
import { randomText } from '@/lib/crypto.ts'
import { Failure } from '@/lib/failure.ts'
import { forwarders, type Sealer, type Store, type Writer } from '@/store'
import type { NewRow } from '../chain.ts'
import { type Actor, by } from '../retention.ts'
import { type ForwarderRow, hostOf, type Kind, Target } from './kinds.ts'

/** As the page shows it. */
export type Forwarder = Omit<ForwarderRow, 'sealed' | 'sealedKey' | 'settings' | 'version'> & { host: string }

const FORWARDERS_MAX = 20
const NAME_CHARS_MAX = 60

export type ForwardersDeps = {
  store: Pick<Store, 'read' | 'transact'>
  sealer: Pick<Sealer, 'seal' | 'open'>
  clock: Clock
  lastSeq(): number
  report(row: NewRow, tx?: Writer): Promise<void>
}

const placeOf = (id: string) => ({ table: 'forwarders', row: id, column: 'sealed', owner: '', version: 1 })
const shown = ({ sealed: _, sealedKey: __, settings, version: ___, ...rest }: ForwarderRow): Forwarder => ({
  ...rest,
  host: String(settings['host'] ?? ''),
})

export function createForwarders({ store, sealer, clock, lastSeq, report }: ForwardersDeps) {
  const rows = (): Promise<ForwarderRow[]> => store.read.select().from(forwarders).orderBy(asc(forwarders.createdAt)).execute()
  const demand = async (id: string): Promise<ForwarderRow> => {
    const [row] = await store.read.select().from(forwarders).where(eq(forwarders.id, id))
    if (!row) throw new Failure('not_found')
    return row
  }
  const change = async (actor: Actor, id: string, action: string, set: Partial<ForwarderRow>): Promise<void> => {
    const row = await demand(id)
    await store.transact(async (tx) => {
      await tx
        .update(forwarders)
        .set({ ...set, updatedAt: clock() })
        .where(eq(forwarders.id, id))
      await report({ ...by(actor), action, subject: row.name, detail: { host: shown(row).host } }, tx)
    })
  }
  return {
    rows,
    demand,
    list: async (): Promise<Forwarder[]> => (await rows()).map(shown),
    targetOf: ({ id, sealed, sealedKey }: ForwarderRow): Target =>
      JSON.parse(sealer.open({ bytes: sealed ?? Buffer.alloc(0), key: sealedKey ?? '' }, placeOf(id))) as Target,
    /**
     * @param fromBeginning sends what is there already as well; else what comes from now on
     * @throws Failure `invalid_form`
     */
    async add(actor: Actor, { name, target, fromBeginning }: { name: string; target: unknown; fromBeginning: boolean }): Promise<string> {
      const title = name.trim()
      if (title.length === 0 || title.length > NAME_CHARS_MAX)
        throw new Failure('invalid_form', { fields: { name: `Give it a name of up to ${NAME_CHARS_MAX} characters.` } })
      const parsed = demandTarget(target)
      if ((await rows()).length >= FORWARDERS_MAX)
        throw new Failure('invalid_form', { fields: { name: `There are ${FORWARDERS_MAX} already.` } })
      const id = `fwd_${randomText(12)}`
      const { bytes, key } = sealer.seal(JSON.stringify(parsed), placeOf(id))
      const host = hostOf(parsed)
      const now = clock()
      await store.transact(async (tx) => {
        const where = { id, kind: parsed.kind satisfies Kind, name: title, settings: { host }, sealed: bytes, sealedKey: key, version: 1 }
        await tx.insert(forwarders).values({ ...where, seq: fromBeginning ? 0 : lastSeq(), createdAt: now, updatedAt: now })
        await report({ ...by(actor), action: 'forwarder.add', subject: title, detail: { kind: parsed.kind, host } }, tx)
      })
      return id
    },
    pause: (actor: Actor, id: string) => change(actor, id, 'forwarder.pause', { pausedAt: clock() }),
    resume: (actor: Actor, id: string) => change(actor, id, 'forwarder.resume', { pausedAt: null, problem: null }),
    async remove(actor: Actor, id: string): Promise<void> {
      const row = await demand(id)
      await store.transact(async (tx) => {
        await tx.delete(forwarders).where(eq(forwarders.id, id))
        await report({ ...by(actor), action: 'forwarder.remove', subject: row.name, detail: { host: shown(row).host } }, tx)
      })
    },
    /** How far it came. Nothing of it decides about anybody. */
    moved: (id: string, set: Pick<Partial<ForwarderRow>, 'seq' | 'problem' | 'sentAt'>): Promise<void> =>
      store.transact(async (tx) => void (await tx.update(forwarders).set(set).where(eq(forwarders.id, id))), 'process'),
  }
}

function demandTarget(target: unknown): Target {
  const parsed = Target.safeParse(target)
  if (parsed.success) {
    if (parsed.data.kind === 'otlp' && !parsed.data.logs && !parsed.data.traces)
      throw new Failure('invalid_form', { fields: { logs: 'Send logs, traces or both.' } })
    return parsed.data
  }
  const fields = Object.fromEntries(parsed.error.issues.map(({ path, message }) => [String(path[0] ?? 'name'), message]))
  throw new Failure('invalid_form', { fields })
}
