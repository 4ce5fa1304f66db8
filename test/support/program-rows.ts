/**
 * Writes rows into the trail of the given folder as fast as they are answered for, some waited for and some not, and says
 * of each what became of it: `<subject> ok` or `<subject> <code>`. It runs until it is killed.
 */
import { writeSync } from 'node:fs'
import { createAudit } from '@/audit'
import { isFailure } from '@/lib/failure.ts'
import { openStore } from '@/store'
import { sealing } from './sealing.ts'

const store = openStore(process.argv[2] ?? '')
const audit = createAudit({ store, sealer: sealing(), clock: Date.now })

async function work(name: string, isAwaited: boolean): Promise<never> {
  for (let count = 0; ; count += 1) {
    const subject = `${name}-${process.pid}-${count}`
    try {
      const contents = { keeps: 'redacted', arguments: { subject }, result: { text: `done ${subject}` } } as const
      await audit.write({ kind: 'call', action: 'tools/call', outcome: 'ok', subject, requestBytes: 80 }, isAwaited, contents)
      writeSync(1, `${subject} ok\n`)
    } catch (error) {
      writeSync(1, `${subject} ${isFailure(error, 'store_unavailable') ? error.code : String(error)}\n`)
    }
    // Acts are flushed to the disk between the batches, as they are in the house.
    if (count % 50 === 0) await audit.report({ kind: 'admin', action: 'profile.add', outcome: 'ok' }).catch(() => undefined)
    await Bun.sleep(1)
  }
}
await Promise.all(Array.from({ length: 8 }, (_, at) => work(at % 2 === 0 ? `change${at}` : `read${at}`, at % 2 === 0)))
