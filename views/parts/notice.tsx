import type { Child } from '../jsx-runtime.ts'
import { Icon, type IconName } from './icon.tsx'

export type NoticeTone = 'info' | 'ok' | 'warning' | 'danger'
const ICONS: Record<NoticeTone, IconName> = {
  info: 'info',
  ok: 'circle-check',
  warning: 'triangle-alert',
  danger: 'circle-alert',
}
const CLASSES: Record<NoticeTone, string> = { info: 'neutral', ok: 'ok', warning: 'warning', danger: 'danger' }

/** Something to know before going on. `alert` when it answers what the reader has just done. */
export const Notice = (p: { tone: NoticeTone; title?: Child; alert?: boolean | undefined; children?: Child }) => (
  <div class={`notice tone-${CLASSES[p.tone]}`} role={p.alert ? 'alert' : undefined}>
    <Icon name={ICONS[p.tone]} />
    <div>
      {p.title && <p class="notice-title">{p.title}</p>}
      {p.children && <div class="notice-text">{p.children}</div>}
    </div>
  </div>
)
