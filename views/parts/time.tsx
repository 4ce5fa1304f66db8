import { ago, exact } from './format.ts'

/** A relative time with the exact one on hover; `toolpass.js` keeps it ticking and adds the reader's time zone. */
export const Ago = (p: { at: number; now?: number | undefined }) => (
  <time datetime={new Date(p.at).toISOString()} title={exact(p.at)} data-ago={true}>
    {ago(p.at, p.now ?? Date.now())}
  </time>
)

/** A time that may not exist yet ("never used"). */
export const AgoOr = (p: { at: number | null | undefined; none: string }) =>
  p.at != null ? <Ago at={p.at} /> : <span class="muted">{p.none}</span>
