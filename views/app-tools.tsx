/** What one app may use, and what it used. */
import { Badge } from './parts/badge.tsx'
import { Card } from './parts/card.tsx'
import { Empty } from './parts/empty.tsx'
import { foreign } from './parts/format.ts'
import { amountInWords, amountsOf, OfferedName, type OfferedWords } from './parts/offered.tsx'
import { AgoOr } from './parts/time.tsx'
import { KindBadge, type ToolKind } from './parts/tool.tsx'

export type AppTool = OfferedWords & {
  connection: string
  kind: ToolKind
  calls: number
  lastUsedAt?: number | null | undefined
}

export const AppTools = (p: { tools: readonly AppTool[] }) => (
  <Card title="What it may use" lead={p.tools.length > 0 && amountInWords(amountsOf(p.tools))} flush={true}>
    {p.tools.length === 0 ? (
      <Empty icon="layers" title="Nothing">
        Nothing of what you allowed is in the profile any more: this app sees an empty list.
      </Empty>
    ) : (
      <table class="table table-lean">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Kind</th>
            <th scope="col" class="number">
              Calls
            </th>
            <th scope="col" class="number">
              Last used
            </th>
          </tr>
        </thead>
        <tbody>
          {p.tools.map((tool) => (
            <tr>
              <td class="cell-main">
                {tool.feature === 'tool' ? <span class="mono strong break">{foreign(tool.name, 128)}</span> : <OfferedName item={tool} />}
                <p class="cell-note">{foreign(tool.connection)}</p>
              </td>
              <td>
                {tool.feature === 'tool' ? (
                  <KindBadge kind={tool.kind} />
                ) : (
                  <Badge>{tool.feature === 'prompt' ? 'prompt' : 'resource'}</Badge>
                )}
              </td>
              <td class="number" data-label="Calls">
                {tool.calls}
              </td>
              <td class="number nowrap muted" data-label="Last used">
                <AgoOr at={tool.lastUsedAt} none="never" />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    )}
  </Card>
)
