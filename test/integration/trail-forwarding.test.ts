/** The trail on its way out, to receivers that listen on real sockets: what they get, and that none of it is lost. */
import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { type AuditRow, createAudit, createForwarding, type NewRow } from '@/audit'
import { messageOf } from '@/audit/forwarding/syslog.ts'
import type { UserId } from '@/lib/ids.ts'
import { createOutbound } from '@/lib/outbound.ts'
import { auditRows, openStore } from '@/store'
import { eventually, makeCertificates } from '../support/outside.ts'
import { sealing } from '../support/sealing.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})
const certificates = makeCertificates(['localhost'])
const outbound = createOutbound({ ca: certificates.ca, resolve: async () => ['127.0.0.1'] })
afterAll(() => outbound.close())

const ADA = { id: 'usr_ada' as UserId, username: 'ada' }
const SOURCE = { version: '1.2.3', host: 'house', origin: 'https://tools.example.org' }
const call = (subject: string, more: Partial<NewRow> = {}): NewRow => ({
  ...{
    kind: 'call',
    action: 'tools/call',
    outcome: 'ok',
    subject,
    userName: 'ada',
    clientName: 'Claude',
    durationUs: 2_500,
    requestBytes: 80,
  },
  ...more,
})

function open(folder = mkdtempSync(join(tmpdir(), 'toolpass-'))) {
  const store = openStore(folder)
  const time = { now: Date.UTC(2026, 10, 29, 12) }
  const clock = () => time.now
  const audit = createAudit({ store, sealer: sealing(), clock })
  const faults: unknown[] = []
  const log = { error: (...fault: unknown[]) => void faults.push(fault), warn: () => undefined }
  const { report, lastSeq } = audit
  const forwarding = createForwarding({ store, sealer: sealing(), clock, report, lastSeq, outbound, log, source: SOURCE })
  const close = () => store.close()
  ends.push(async () => {
    await close().catch(() => undefined)
    rmSync(folder, { recursive: true, force: true })
  })
  const write = async (...rows: NewRow[]) => {
    for (const row of rows) audit.write(row, false)
    await audit.flush()
  }
  return {
    ...{ folder, store, time, audit, forwarding, faults, close, write },
    rows: (): AuditRow[] => store.read.select().from(auditRows).orderBy(auditRows.seq).all(),
    async forward() {
      await forwarding.forward()
      await forwarding.settled()
    },
    only: async () => (await forwarding.list())[0],
  }
}

type Got = { path: string; headers: Record<string, string>; body: string }
function receiver(answer: (got: Got) => Response = () => Response.json({})) {
  const got: Got[] = []
  const server = Bun.serve({
    port: 0,
    async fetch(request) {
      const one = {
        path: new URL(request.url).pathname,
        headers: request.headers.toJSON() as Record<string, string>,
        body: await request.text(),
      }
      const response = answer(one)
      if (response.ok) got.push(one)
      return response
    },
  })
  ends.push(() => server.stop(true))
  return { url: `http://localhost:${server.port}`, got }
}
const linesOf = (got: readonly Got[]) =>
  got.flatMap(({ body }) =>
    body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  )
const SECRET = 'a secret of the receiver'

describe('a webhook', () => {
  test('[TRAIL-FORWARD] gets each row once, in order, in signed batches, from where it was set up', async () => {
    const { write, forwarding, forward, rows, only } = open()
    const { url, got } = receiver()
    await write(call('before'))
    await forwarding.add(ADA, {
      name: 'Archive',
      target: { kind: 'webhook', url: `${url}/in?key=hidden-in-address`, secret: SECRET },
      fromBeginning: false,
    })
    await write(...Array.from({ length: 450 }, (_, at) => call(`row ${at}`)))
    await forward()
    expect(got).toHaveLength(3)
    expect(linesOf(got).map(({ subject }) => subject)).toEqual(['Archive', ...Array.from({ length: 450 }, (_, at) => `row ${at}`)])
    for (const { headers, body } of got) {
      const timestamp = headers['toolpass-timestamp'] ?? ''
      expect(headers['toolpass-signature']).toBe(`v1=${createHmac('sha256', SECRET).update(`${timestamp}.${body}`).digest('hex')}`)
      expect(headers['content-type']).toBe('application/x-ndjson')
    }
    expect(linesOf(got).at(-1)).toMatchObject({ seq: 452, time: '2026-11-29T12:00:00.000Z', kind: 'call', chain: rows().at(-1)?.chain })
    expect(await only()).toMatchObject({ seq: 452, problem: null, sentAt: expect.any(Number) })
    await forward()
    expect(got).toHaveLength(3)
  })
  test('that does not take it is told of on the page, tried again after a growing while, and misses nothing', async () => {
    let isDown = true
    const { write, forwarding, forward, only, time } = open()
    const { url, got } = receiver(() => (isDown ? new Response('no', { status: 503 }) : new Response('ok')))
    await forwarding.add(ADA, { name: 'Archive', target: { kind: 'webhook', url, secret: SECRET }, fromBeginning: true })
    await write(call('one'))
    await forward()
    expect(await only()).toMatchObject({ seq: 0, problem: `localhost:${new URL(url).port} answered with 503.` })
    isDown = false
    await forward()
    expect(got).toHaveLength(0)
    time.now += 5_001
    await write(call('two'))
    await forward()
    expect(linesOf(got).map(({ subject }) => subject)).toEqual(['Archive', 'one', 'two'])
    expect(await only()).toMatchObject({ problem: null })
  })
  test('goes on where it was after a restart, and gets nothing twice that it had taken', async () => {
    const first = open()
    const { url, got } = receiver()
    await first.forwarding.add(ADA, { name: 'Archive', target: { kind: 'webhook', url, secret: SECRET }, fromBeginning: false })
    await first.write(call('one'))
    await first.forward()
    await first.write(call('two'))
    await first.close()
    const second = open(first.folder)
    await second.write(call('three'))
    await second.forward()
    expect(linesOf(got).map(({ subject }) => subject)).toEqual(['Archive', 'one', 'two', 'three'])
  })
  test('pauses and resumes without missing a row, and is tested with a row of its own', async () => {
    const { write, forwarding, forward, only, rows } = open()
    const { url, got } = receiver()
    const id = await forwarding.add(ADA, { name: 'Archive', target: { kind: 'webhook', url, secret: SECRET }, fromBeginning: false })
    await forward()
    got.length = 0
    await forwarding.pause(ADA, id)
    await write(call('paused'))
    await forward()
    expect(got).toHaveLength(0)
    expect(await forwarding.test(ADA, id)).toBeUndefined()
    expect(linesOf(got)).toMatchObject([{ action: 'forwarder.test' }])
    expect(got[0]?.headers['toolpass-test']).toBe('true')
    await forwarding.resume(ADA, id)
    await forward()
    expect(linesOf(got).map(({ action }) => action)).toEqual([
      'forwarder.test',
      'forwarder.pause',
      'tools/call',
      'forwarder.test',
      'forwarder.resume',
    ])
    await forwarding.remove(ADA, id)
    expect(await only()).toBeUndefined()
    expect(
      rows()
        .filter(({ kind }) => kind === 'admin')
        .map(({ action }) => action),
    ).toEqual(['add', 'pause', 'test', 'resume', 'remove'].map((act) => `forwarder.${act}`))
  })
  test('hears of rows that were removed before they could be sent', async () => {
    const { write, forwarding, forward, audit, rows, time } = open()
    const { url } = receiver()
    await write(call('before'))
    await forwarding.add(ADA, { name: 'Archive', target: { kind: 'webhook', url, secret: SECRET }, fromBeginning: false })
    await write(...Array.from({ length: 20 }, (_, at) => call(`row ${at}`)))
    time.now += 10 * 86_400_000
    await audit.retention.setPolicy(ADA, { keepDays: 1, keepMegabytes: null })
    await audit.retention.sweep()
    await forward()
    expect(rows().find(({ action }) => action === 'forwarder.gap')).toMatchObject({ subject: 'Archive', detail: { from: 2, to: 22 } })
  })
  test('has its address and its secret sealed, and gets nothing of contents', async () => {
    const { audit, forwarding, forward, folder } = open()
    const { url, got } = receiver()
    await forwarding.add(ADA, {
      name: 'Archive',
      target: { kind: 'webhook', url: `${url}/path-hidden-5k`, secret: 'signs-hidden-8m-long' },
      fromBeginning: true,
    })
    await audit.write(call('x'), true, { keeps: 'whole', arguments: { a: 'contents-hidden-2q' } })
    await forward()
    const file = readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), 'latin1'))
      .join('')
    for (const text of ['path-hidden-5k', 'signs-hidden-8m', 'contents-hidden-2q']) expect(file).not.toContain(text)
    expect(JSON.stringify(got.map(({ body }) => body))).not.toMatch(/hidden/)
  })
  test.each([
    [{ kind: 'webhook', url: 'ftp://x', secret: SECRET }, 'url'],
    [{ kind: 'webhook', url: 'https://x.example', secret: 'short' }, 'secret'],
    [{ kind: 'otlp', url: 'https://x.example', logs: false, traces: false }, 'logs'],
    [{ kind: 'otlp', url: 'https://x.example', header: 'a\nb: c', logs: true, traces: false }, 'header'],
    [{ kind: 'syslog', host: 'a b', port: 514, isSecure: true }, 'host'],
    [{ kind: 'syslog', host: 'a', port: 70_000, isSecure: true }, 'port'],
  ])('and others are refused with a word where they are wrong: %j', async (target, field) => {
    const { forwarding, only } = open()
    const adding = forwarding.add(ADA, { name: 'x', target, fromBeginning: false })
    await expect(adding).rejects.toMatchObject({ code: 'invalid_form', fields: { [field]: expect.any(String) } })
    expect(await only()).toBeUndefined()
  })
  test('at an address that is out of bounds is never spoken to', async () => {
    const { forwarding, forward, only } = open()
    await forwarding.add(ADA, {
      name: 'x',
      target: { kind: 'webhook', url: 'http://169.254.169.254/', secret: SECRET },
      fromBeginning: true,
    })
    await forward()
    expect((await only())?.problem).toMatch(/not allowed/)
  })
})

describe('OpenTelemetry', () => {
  type Attribute = { key: string; value: Record<string, unknown> }
  type Item = Record<string, never>
  type Logs = { resourceLogs: [{ resource: { attributes: Attribute[] }; scopeLogs: [{ logRecords: Item[] }] }] }
  type Traces = { resourceSpans: [{ scopeSpans: [{ spans: Item[] }] }] }
  const valueIn = (attributes: readonly Attribute[], key: string) =>
    Object.values(attributes.find((each) => each.key === key)?.value ?? {})[0]

  test('[TRAIL-OTLP] gets rows as log records and calls as spans, which belong together', async () => {
    const { write, forwarding, forward } = open()
    const { url, got } = receiver()
    await forwarding.add(ADA, {
      name: 'Collector',
      target: { kind: 'otlp', url: `${url}/otlp/`, header: 'authorization=Bearer of-the-collector', logs: true, traces: true },
      fromBeginning: false,
    })
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
    await write(call('search', { traceId }), call('delete', { outcome: 'refused', reason: 'tool_not_granted' }))
    await forward()
    expect(got.map(({ path }) => path)).toEqual(['/otlp/v1/logs', '/otlp/v1/traces'])
    for (const { headers } of got)
      expect(headers).toMatchObject({ authorization: 'Bearer of-the-collector', 'content-type': 'application/json' })
    const [logs, traces] = got.map(({ body }) => JSON.parse(body)) as [Logs, Traces]
    const [{ resource, scopeLogs }] = logs.resourceLogs
    const [{ logRecords: records }] = scopeLogs
    const [{ scopeSpans }] = traces.resourceSpans
    const [{ spans }] = scopeSpans
    expect(valueIn(resource.attributes, 'service.name')).toBe('toolpass')
    expect(records.map(({ severityText, body }) => [severityText, (body as unknown as { stringValue: string }).stringValue])).toEqual([
      ['INFO', 'forwarder.add Collector by ada: ok'],
      ['INFO', 'tools/call search by ada through Claude: ok'],
      ['WARN', 'tools/call delete by ada through Claude: refused (tool_not_granted)'],
    ])
    expect(records[1]).toMatchObject({ timeUnixNano: '1795953600000000000', traceId, spanId: expect.stringMatching(/^[\da-f]{16}$/) })
    expect(spans).toHaveLength(2)
    expect(spans[0]).toMatchObject({ traceId, spanId: records[1]?.['spanId'], name: 'tools/call search', kind: 2, status: { code: 1 } })
    expect(BigInt(spans[0]?.['endTimeUnixNano'] ?? 0) - BigInt(spans[0]?.['startTimeUnixNano'] ?? 0)).toBe(2_500_000n)
    expect(spans[1]).toMatchObject({ status: { code: 2, message: 'tool_not_granted' }, traceId: expect.stringMatching(/^[\da-f]{32}$/) })
    expect(valueIn((spans[1]?.['attributes'] ?? []) as Attribute[], 'gen_ai.tool.name')).toBe('delete')
    // The names of every field, as the schema has them: one that is spelt otherwise would be passed over in silence.
    expect(Object.keys(records[1] ?? {}).sort()).toEqual([
      'attributes',
      'body',
      'eventName',
      'observedTimeUnixNano',
      'severityNumber',
      'severityText',
      'spanId',
      'timeUnixNano',
      'traceId',
    ])
    expect(Object.keys(spans[0] ?? {}).sort()).toEqual([
      'attributes',
      'endTimeUnixNano',
      'kind',
      'name',
      'spanId',
      'startTimeUnixNano',
      'status',
      'traceId',
    ])
  })
  test('that rejects what is in a request says so in a test, and is not sent it again', async () => {
    const { write, forwarding, forward, only } = open()
    const { url } = receiver(() => Response.json({ partialSuccess: { rejectedLogRecords: '1', errorMessage: 'too old' } }))
    const id = await forwarding.add(ADA, { name: 'x', target: { kind: 'otlp', url, logs: true, traces: false }, fromBeginning: true })
    await write(call('one'))
    await forward()
    expect(await only()).toMatchObject({ seq: 2, problem: null })
    expect(await forwarding.test(ADA, id)).toBe('It took the request and rejected what is in it: too old.')
  })
})

describe('syslog', () => {
  /** Frames by their counted octets (RFC 6587 §3.4.1), as a receiver reads them. */
  const framesIn = (bytes: Buffer): string[] => {
    const frames: string[] = []
    for (let at = 0; at < bytes.length; ) {
      const space = bytes.indexOf(32, at)
      const length = Number(bytes.subarray(at, space).toString())
      frames.push(bytes.subarray(space + 1, space + 1 + length).toString())
      at = space + 1 + length
    }
    return frames
  }
  async function syslogd(isSecure: boolean) {
    const chunks: Buffer[] = []
    const sockets = new Set<Socket>()
    const take = (socket: Socket) => {
      sockets.add(socket)
      socket.on('data', (chunk: Buffer) => void chunks.push(chunk))
      socket.on('error', () => undefined)
    }
    const server: Server = isSecure ? createTlsServer(certificates.of.localhost, take) : createServer(take)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    ends.push(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    return { port: (server.address() as { port: number }).port, frames: () => framesIn(Buffer.concat(chunks)), server, sockets }
  }
  for (const isSecure of [false, true])
    test(`[TRAIL-SYSLOG] over ${isSecure ? 'TLS' : 'TCP'} gets each row as one counted message`, async () => {
      const { write, forwarding, forward, only } = open()
      const { port, frames } = await syslogd(isSecure)
      await forwarding.add(ADA, { name: 'x', target: { kind: 'syslog', host: 'localhost', port, isSecure }, fromBeginning: false })
      await write(
        ...Array.from({ length: 300 }, (_, at) =>
          call(`tool-${at}`, { outcome: at === 7 ? 'failed' : 'ok', reason: at === 7 ? 'käse "]\\\n<1>' : null }),
        ),
      )
      await forward()
      expect(await eventually(() => frames().length === 301)).toBe(true)
      expect(await only()).toMatchObject({ problem: null, seq: 301 })
      const [first, , , , , , , , eighth = ''] = frames()
      expect(first).toMatch(
        /^<110>1 2026-11-29T12:00:00\.000Z house toolpass - admin \[toolpass@32473 seq="1" .*\] \uFEFFforwarder\.add x by ada: ok$/,
      )
      expect(eighth).toMatch(/^<107>1 /)
      expect(eighth).toContain('reason="käse \\"\\]\\\\ <1>"')
      expect(eighth).not.toContain('\n')
    })
  test('that breaks off in the midst, or has no certificate for its name, gets the rows again', async () => {
    const { forwarding, forward, only, time } = open()
    const plain = await syslogd(false)
    // Speaks no TLS, and says something else at once.
    plain.server.on('connection', (socket: Socket) => void socket.write('220 mail.example.org\r\n'))
    await forwarding.add(ADA, {
      name: 'x',
      target: { kind: 'syslog', host: 'localhost', port: plain.port, isSecure: true },
      fromBeginning: true,
    })
    await forward()
    expect(await only()).toMatchObject({ seq: 0, problem: expect.stringMatching(/^The connection to localhost broke|certificate|answer/) })
    time.now += 10_000
    const [forwarder] = await forwarding.list()
    await forwarding.remove(ADA, forwarder?.id ?? '')
    const closed = await syslogd(false)
    closed.server.close()
    await new Promise((resolve) => setTimeout(resolve, 20))
    await forwarding.add(ADA, {
      name: 'y',
      target: { kind: 'syslog', host: 'localhost', port: closed.port, isSecure: false },
      fromBeginning: true,
    })
    await forward()
    expect(await only()).toMatchObject({ seq: 0, problem: 'localhost does not take connections.' })
  }, 30_000)
  test('never has a line break, a quote or a bracket of somebody else in its structure', () => {
    const row = {
      seq: 1,
      at: 0,
      kind: 'call',
      action: 'tools/call',
      outcome: 'ok',
      subject: 'a"]\n<34>1 x',
      userName: 'ada',
      chain: 'c',
    } as unknown as AuditRow
    const message = messageOf(row, { version: '1', host: 'hö st', origin: '' })
    expect(message.split('\n')).toHaveLength(1)
    expect(message).toContain('subject="a\\"\\] <34>1 x"')
    expect(message).toContain(' hst toolpass ')
  })
})
