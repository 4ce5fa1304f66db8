/** Every way through: two kinds of apps, two kinds of servers, over HTTP and as programs. Each server has a profile of its own. */
import { resolve } from 'node:path'
import type { ConnectionId, ToolId } from '@/lib/ids.ts'
import { type Answers, type App, connect, type Era, type Json } from './apps.ts'
import { type Admitted, asProgram, type MatrixHouse, openMatrixHouse, overHttp } from './house.ts'
import { startLegacyUpstream } from './legacy-upstream.ts'
import { startModernUpstream } from './modern-upstream.ts'

export type Transport = 'http' | 'stdio'
export type Cell = { app: Era; upstream: Era; transport: Transport; title: string }
type Behind = { admitted: Admitted; connectionId: ConnectionId; ids: Record<string, ToolId> }

const ERAS: readonly Era[] = ['legacy', 'modern']
export const CELLS: readonly Cell[] = ERAS.flatMap((app) =>
  ERAS.flatMap((upstream) =>
    (['http', 'stdio'] as const).map((transport) => ({
      app,
      upstream,
      transport,
      title: `${app} app, ${upstream} server over ${transport}`,
    })),
  ),
)
const keyOf = ({ upstream, transport }: Pick<Cell, 'upstream' | 'transport'>) => `${upstream} ${transport}`

export async function openCells() {
  const house: MatrixHouse = await openMatrixHouse()
  const servers = { legacy: startLegacyUpstream(), modern: startModernUpstream() }
  const behind = new Map<string, Behind>()
  for (const upstream of ERAS)
    for (const transport of ['http', 'stdio'] as const) {
      const program = resolve(import.meta.dir, `${upstream}-upstream.ts`)
      const way = transport === 'http' ? overHttp(servers[upstream].url) : asProgram(program)
      const connectionId = await house.addConnection(`${upstream} ${transport}`, way)
      const ids = await house.listed(connectionId)
      const admitted = await house.admit({ title: `${upstream} ${transport}` }, Object.values(ids))
      behind.set(keyOf({ upstream, transport }), { admitted, connectionId, ids })
    }
  const of = (cell: Cell): Behind => {
    const found = behind.get(keyOf(cell))
    if (!found) throw new Error(`Nothing is behind ${cell.title}.`)
    return found
  }
  const turns = new Map<string, Promise<unknown>>()
  const apps = new Map<string, Promise<App>>()
  return {
    house,
    servers,
    of,
    /** One that nobody else uses; whoever asks for it closes it. */
    fresh: (cell: Cell, answers?: Answers): Promise<App> => connect(cell.app, of(cell).admitted, answers),
    connect,
    /** One after the other for each server: what a row changes there no other row may meet. */
    alone(cell: Cell, work: () => Promise<void>): Promise<void> {
      const turn = (turns.get(keyOf(cell)) ?? Promise.resolve()).then(work)
      turns.set(
        keyOf(cell),
        turn.catch(() => undefined),
      )
      return turn
    },
    /** One request of revision 2026-07-28 by hand, for what the SDK's client has no words for. */
    async post(cell: Cell, method: string, params: Json, capabilities: Json = {}): Promise<Json> {
      const { url, token } = of(cell).admitted
      const name = params['name'] ?? params['uri'] ?? params['taskId']
      const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': capabilities }
      const answer = await fetch(url, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2026-07-28',
          'mcp-method': method,
          ...(typeof name === 'string' && { 'mcp-name': name }),
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } }),
      })
      return (await answer.json()) as Json
    },
    /** One for each cell, without anything to be asked for. */
    app(cell: Cell): Promise<App> {
      const known = apps.get(cell.title) ?? connect(cell.app, of(cell).admitted)
      apps.set(cell.title, known)
      return known
    },
    async close(): Promise<void> {
      await Promise.all([...apps.values()].map(async (app) => (await app).close()))
      await house.close()
      await Promise.all([servers.legacy.stop(), servers.modern.stop()])
    },
  }
}
export type Cells = Awaited<ReturnType<typeof openCells>>

/** One behaviour, and how it shows in a cell. Where something cannot be by nature, its row says in words what happens instead. */
export type Row = { says: string; run: (cell: Cell, cells: Cells) => Promise<void>; only?: (cell: Cell) => boolean }
