/** The trail when its process is killed and when its disk is full: ABUSE rows 58 and 59. */
import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createAudit, verifyChain } from '@/audit'
import type { UserId } from '@/lib/ids.ts'
import { auditRows, openStore } from '@/store'
import { eventually } from '../support/outside.ts'
import { sealing } from '../support/sealing.ts'

const ROOT = resolve(import.meta.dir, '../..')

function startWriting(folder: string) {
  // Whoever ignores SIGXFSZ gets an error for a write past the limit, as from a full disk; the limit can come and go.
  const program = [process.execPath, join(ROOT, 'test/support/program-rows.ts'), folder]
  const child = Bun.spawn(['sh', '-c', `trap '' XFSZ; exec "$0" "$@"`, ...program], { cwd: ROOT, stdout: 'pipe', stderr: 'inherit' })
  const said: { subject: string; answer: string; at: number }[] = []
  const reading = (async () => {
    let rest = ''
    const decoder = new TextDecoder()
    for await (const chunk of child.stdout) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const [subject = '', answer = ''] = line.split(' ')
        said.push({ subject, answer, at: performance.now() })
      }
    }
  })()
  return {
    said,
    limit: (bytes: string) => Bun.spawnSync(['prlimit', '--pid', String(child.pid), `--fsize=${bytes}:unlimited`]),
    kill: async () => {
      const killedAt = performance.now()
      child.kill('SIGKILL')
      await child.exited
      await reading
      return killedAt
    },
  }
}

async function readTrail(folder: string) {
  const store = openStore(folder)
  const rows = await store.read.select().from(auditRows).orderBy(auditRows.seq)
  const audit = createAudit({ store, sealer: sealing(), clock: Date.now })
  /** Rows of calls whose contents are not there, or not theirs. */
  const without: string[] = []
  for (const { seq, kind, subject } of rows)
    if (kind === 'call' && (await audit.contentsOf(seq))?.arguments !== JSON.stringify({ subject })) without.push(subject ?? '')
  const { broken, proven } = await audit.verifying.start({ id: 'usr_test' as UserId, username: 'test' })
  await store.close()
  return { subjects: new Set(rows.map(({ subject }) => subject)), rows, without, broken, proven, verdict: verifyChain(rows) }
}

test('[ABUSE-58] kill -9 amid the writing loses no row that was waited for, none of a call that read 50 ms before, and leaves a whole chain', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'toolpass-'))
  const seen = { changes: 0, reads: 0 }
  let rowsBefore = 0
  for (const afterRows of [40, 900, 3_000]) {
    const writing = startWriting(folder)
    expect(await eventually(async () => writing.said.length >= afterRows, 15_000)).toBe(true)
    const killedAt = await writing.kill()
    const { subjects, rows, verdict, without, broken } = await readTrail(folder)
    expect([without, broken]).toEqual([[], undefined])
    expect(writing.said.filter(({ answer }) => answer !== 'ok')).toEqual([])
    const changes = writing.said.filter(({ subject }) => subject.startsWith('change'))
    // What it says takes a moment to come here, and a timer may be late: 150 ms are for both.
    const reads = writing.said.filter(({ subject, at }) => subject.startsWith('read') && at < killedAt - 150)
    expect([...changes, ...reads].filter(({ subject }) => !subjects.has(subject))).toEqual([])
    expect(verdict).toEqual({ proven: rows.length, old: 0 })
    expect(rows.length).toBeGreaterThan(rowsBefore)
    rowsBefore = rows.length
    seen.changes += changes.length
    seen.reads += reads.length
  }
  expect(seen.changes).toBeGreaterThan(300)
  expect(seen.reads).toBeGreaterThan(300)
  rmSync(folder, { recursive: true })
}, 60_000)

test('[ABUSE-59] a full disk fails each call for want of its row, reading ones too; with room again the trail has all that was answered for', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'toolpass-'))
  const writing = startWriting(folder)
  const { said, limit } = writing
  const answers = (kind: string, answer: string) => said.filter((each) => each.subject.startsWith(kind) && each.answer === answer).length
  expect(await eventually(async () => said.length >= 200, 15_000)).toBe(true)
  limit('0')
  expect(
    await eventually(async () => Math.min(answers('change', 'store_unavailable'), answers('read', 'store_unavailable')) >= 8, 10_000),
  ).toBe(true)
  const before = [answers('change', 'ok'), answers('read', 'ok')]
  await Bun.sleep(600)
  expect([answers('change', 'ok'), answers('read', 'ok')]).toEqual(before)
  limit('unlimited')
  expect(
    await eventually(async () => answers('read', 'ok') > (before[1] ?? 0) + 50 && answers('change', 'ok') > (before[0] ?? 0) + 50, 10_000),
  ).toBe(true)
  const killedAt = await writing.kill()
  const { subjects, rows, verdict } = await readTrail(folder)
  const acknowledged = said.filter(({ subject, answer, at }) => answer === 'ok' && (subject.startsWith('change') || at < killedAt - 150))
  expect(acknowledged.filter(({ subject }) => !subjects.has(subject))).toEqual([])
  expect(new Set(said.map(({ answer }) => answer))).toEqual(new Set(['ok', 'store_unavailable']))
  expect(verdict).toEqual({ proven: rows.length, old: 0 })
  rmSync(folder, { recursive: true })
}, 60_000)
