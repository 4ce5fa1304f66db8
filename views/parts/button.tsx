import type { Child } from '../jsx-runtime.ts'
import { Icon, type IconName } from './icon.tsx'

/** `quiet` is for what is seldom needed, `danger` for what destroys; one `primary` a page at most. */
export type ButtonTone = 'primary' | 'secondary' | 'quiet' | 'danger'

type Look = { tone?: ButtonTone | undefined; icon?: IconName | undefined; large?: boolean | undefined; children: Child }
const look = (p: Look) => `button button-${p.tone ?? 'secondary'}${p.large ? ' button-large' : ''}`

export const Button = (
  p: Look & {
    type?: 'submit' | 'button' | undefined
    name?: string | undefined
    value?: string | undefined
    form?: string | undefined
    disabled?: boolean | undefined
  },
) => (
  <button class={look(p)} type={p.type ?? 'submit'} name={p.name} value={p.value} form={p.form} disabled={p.disabled}>
    {p.icon && <Icon name={p.icon} />}
    <span>{p.children}</span>
  </button>
)

export const LinkButton = (p: Look & { href: string; newTab?: boolean | undefined }) => (
  <a class={look(p)} href={p.href} target={p.newTab ? '_blank' : undefined} rel={p.newTab ? 'noopener noreferrer' : undefined}>
    {p.icon && <Icon name={p.icon} />}
    <span>{p.children}</span>
  </a>
)
