import type { Child } from '../jsx-runtime.ts'
import { Icon, type IconName } from './icon.tsx'

/** An empty page or list says what will be here and what to do next. */
export const Empty = (p: { icon: IconName; title: string; children: Child; action?: Child }) => (
  <div class="empty">
    <Icon name={p.icon} />
    <h3>{p.title}</h3>
    <p>{p.children}</p>
    {p.action && <div class="actions">{p.action}</div>}
  </div>
)
