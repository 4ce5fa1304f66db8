import type { Child, Html } from '../jsx-runtime.ts'

export type Target = { action: string; fields?: Readonly<Record<string, string>> | undefined; target?: string | undefined }

/** A form without a field to fill in. `target` is the piece that the reply replaces; without it the form is a plain one. */
export const Posting = (p: Target & { look?: string | undefined; children: Child }): Html => (
  <form
    class={p.look}
    method="post"
    action={p.action}
    hx-post={p.target && p.action}
    hx-target={p.target}
    hx-swap={p.target && 'outerHTML'}
    hx-disable={p.target && 'find button'}
  >
    {Object.entries(p.fields ?? {}).map(([name, value]) => (
      <input type="hidden" name={name} value={value} />
    ))}
    {p.children}
  </form>
)
