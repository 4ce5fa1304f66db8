import type { Child } from '../jsx-runtime.ts'

/** A section of a page. `flush` is for tables and lists, which reach from edge to edge. */
export const Card = (p: {
  title?: Child
  lead?: Child
  actions?: Child
  id?: string | undefined
  flush?: boolean | undefined
  tone?: 'plain' | 'danger' | 'ok' | undefined
  children: Child
}) => (
  <section class={`card card-${p.tone ?? 'plain'}${p.flush ? ' card-flush' : ''}`} id={p.id}>
    {p.title !== undefined && (
      <header class="card-head">
        <div>
          <h2>{p.title}</h2>
          {p.lead && <p class="lead">{p.lead}</p>}
        </div>
        {p.actions && <div class="actions">{p.actions}</div>}
      </header>
    )}
    {p.flush ? p.children : <div class="card-body">{p.children}</div>}
  </section>
)

/** The top of a page: where one is, what it is, and what one can do with the whole of it. */
export const PageHead = (p: { title: Child; lead?: Child; badge?: Child; back?: { href: string; label: string }; actions?: Child }) => (
  <header class="page-head">
    {p.back && (
      <a class="back" href={p.back.href}>
        {p.back.label}
      </a>
    )}
    <div class="page-head-row">
      <div class="page-head-text">
        <h1>
          {p.title} {p.badge}
        </h1>
        {p.lead && <div class="lead">{p.lead}</div>}
      </div>
      {p.actions && <div class="actions">{p.actions}</div>}
    </div>
  </header>
)

/** Names and values, one under the other or side by side, as wide as there is room. */
export const Facts = (p: { items: readonly (readonly [name: Child, value: Child])[] }) => (
  <dl class="facts">
    {p.items.map(([name, value]) => (
      <div>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
)
