/**
 * Whether changes of a server's definitions are let through without anybody looking; its owner's to say.
 * POST /connections/:id/trust — trusts (on).
 */
import { Button } from './parts/button.tsx'
import { Card } from './parts/card.tsx'
import { SwitchField } from './parts/field.tsx'

export const ConnectionTrust = (p: { connectionId: string; on: boolean }) => (
  <Card
    title="Changes of its tools"
    lead="When this server describes a tool otherwise than when you picked it, the tool waits until you have seen how."
  >
    <form class="stack narrow" method="post" action={`/connections/${p.connectionId}/trust`}>
      <SwitchField
        scope="trust"
        name="trusts"
        label="Take its changes over without asking me"
        on={p.on}
        hint="For servers that are yours. Whoever controls the server, or breaks into it, can then tell your models anything through its descriptions, at once and without anybody looking. It holds in your own profiles, each change stands in the audit trail, and it ends when the connection leads elsewhere."
      />
      <div class="actions">
        <Button>Save</Button>
      </div>
    </form>
  </Card>
)
