/** Hosts of metadata documents and keys, real ones over TLS, and the clients' room that asks them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAudit, createTrace } from '@/audit'
import { createClients } from '@/clients'
import { type Change, createChanges } from '@/lib/changes.ts'
import { createOutbound, type Outbound, type Transport } from '@/lib/outbound.ts'
import { openStore } from '@/store'
import { createUsers } from '@/users'
import { makeCertificates } from './outside.ts'
import { sealing } from './sealing.ts'

const PUBLIC = '93.184.216.34'
type Answer = (request: Request) => Response | Promise<Response>

/** Each name is a server of its own on this machine. The guard resolves the name to a public address; only the wire is ours. */
export function openHosts<Name extends string>(names: readonly Name[]) {
  const { ca, of } = makeCertificates(names)
  const answers = new Map<string, Answer>()
  const hits: string[] = []
  const serve = (name: Name) =>
    Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      tls: of[name],
      idleTimeout: 0,
      fetch: (request) => {
        const address = `https://${name}${new URL(request.url).pathname}`
        hits.push(address)
        return answers.get(address)?.(request) ?? new Response('no', { status: 404 })
      },
    })
  const ports = new Map<string, number>()
  const servers = names.map((name) => {
    const server = serve(name)
    ports.set(name, server.port as number)
    return server
  })
  const addresses = new Map<string, () => string[]>()
  const spoken: string[] = []
  const transport: Transport = ({ url, hostname, address }, { method, headers, body, signal }) => {
    spoken.push(address)
    const target = new URL(url)
    target.hostname = '127.0.0.1'
    target.port = String(ports.get(hostname) ?? 1)
    headers.set('host', url.host)
    const tls = { serverName: hostname, ca }
    return fetch(target.href, {
      method,
      headers,
      ...(body !== undefined && { body }),
      signal,
      redirect: 'manual',
      decompress: false,
      timeout: false,
      tls,
    } as RequestInit)
  }
  const resolve = async (name: string) => addresses.get(name)?.() ?? [PUBLIC]
  return {
    outbound: createOutbound({ resolve, transport, resolutionKeptMs: 0 }),
    certificates: of,
    /** The addresses that the guard let a request go to. */
    spoken,
    hits: (address: string) => hits.filter((each) => each === address).length,
    put: (address: string, answer: Answer) => void answers.set(address, answer),
    /** The name leads elsewhere: to these addresses for the guard, to this port for the wire. */
    lead: (name: string, to: () => string[]) => void addresses.set(name, to),
    serveRaw: (name: string, port: number) => void ports.set(name, port),
    close: () => Promise.all(servers.map((server) => server.stop(true))),
  }
}

export const documentAt = (address: string, change: object = {}) => ({
  ...{ client_id: address, client_name: 'An app', redirect_uris: ['https://app.test/callback', 'http://127.0.0.1/callback'] },
  ...change,
})

export type Room = ReturnType<typeof openRoom>

export function openRoom(outbound: Pick<Outbound, 'fetch'>) {
  const folder = mkdtempSync(join(tmpdir(), 'toolpass-clients-'))
  const time = { now: Date.UTC(2030, 0, 1) }
  const clock = () => time.now
  const store = openStore(folder)
  const heard: Change[] = []
  const changes = createChanges((error) => {
    throw error
  })
  for (const kind of ['client-changed', 'client-removed', 'client-blocked'] as const)
    changes.subscribe(kind, (change) => heard.push(change))
  const audit = createAudit({ store, sealer: sealing(), clock })
  const trace = createTrace({ clock })
  const users = createUsers({ store, audit, clock, changes })
  const clients = createClients({ store, clock, audit, changes, trace, outbound })
  const close = async () => {
    await audit.flush()
    await store.close()
    rmSync(folder, { recursive: true })
  }
  return { time, store, heard, audit, trace, users, clients, close }
}

/** What was refused, and in which words. */
export const refusalOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'not refused',
    (error) => `${error.status} ${error.message}`,
  )
