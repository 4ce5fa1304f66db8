/** What servers offer beside tools: prompts, resources, and templates of resources. They cost a model nothing until they are used. */
import type { Child, Html } from '../jsx-runtime.ts'
import { Badge } from './badge.tsx'
import { foreign, foreignMiddle, plural, wholeOf } from './format.ts'

export type Feature = 'tool' | 'prompt' | 'resource' | 'template'
/** How many there are of each; `every` is how many servers' resources are meant as a whole. */
export type Amounts = { tools: number; prompts: number; resources: number; every: number }

export const amountsOf = (items: readonly { feature: Feature; isEvery: boolean }[]): Amounts => {
  const of = (...features: Feature[]) => items.filter(({ feature, isEvery }) => features.includes(feature) && !isEvery).length
  return {
    tools: of('tool'),
    prompts: of('prompt'),
    resources: of('resource', 'template'),
    every: items.filter(({ isEvery }) => isEvery).length,
  }
}

export const isNothing = ({ tools, prompts, resources, every }: Amounts): boolean => tools + prompts + resources + every === 0

/** "5 tools, 2 prompts and 3 resources"; with a server's every resource there is no number to give. */
export function amountInWords({ tools, prompts, resources, every }: Amounts): string {
  const rest = prompts + resources + every
  const parts = [
    (tools > 0 || rest === 0) && plural(tools, 'tool'),
    prompts > 0 && plural(prompts, 'prompt'),
    every > 0 ? 'resources' : resources > 0 && plural(resources, 'resource'),
  ].filter((part) => part !== false)
  const last = parts.pop() as string
  return parts.length > 0 ? `${parts.join(', ')} and ${last}` : last
}

/** What costs nothing and has no kind: said once beside the figures of tools. */
export const FREE = 'Prompts and resources cost nothing until they are used.'

const ADDRESS_MAX = 90

/** An address, cut in the middle where it is long, whole on hover. */
export const Address = (p: { text: string; lengthMax?: number | undefined; strong?: boolean | undefined }): Html => {
  const shown = foreignMiddle(p.text, p.lengthMax ?? ADDRESS_MAX)
  return (
    <span class={`mono break${p.strong ? ' strong' : ''}`} title={wholeOf(p.text, shown)}>
      <bdi>{shown}</bdi>
    </span>
  )
}

export type OfferedWords = {
  feature: Feature
  /** Its name, or for a resource its address. */
  name: string
  title?: string | undefined
  isEvery: boolean
}

/** How it is called, in one line: prompts by their names, resources by their titles with the address beside. */
export const OfferedName = ({ item, more }: { item: OfferedWords; more?: Child }): Html => {
  if (item.isEvery)
    return (
      <>
        <span class="strong">Every resource{more}</span>, also ones it adds later
      </>
    )
  if (item.feature === 'prompt')
    return (
      <>
        <span class="mono strong break">{foreign(item.name, 128)}</span>
        {item.title && item.title !== item.name && (
          <span class="tool-title">
            <bdi>{foreign(item.title, 80)}</bdi>
          </span>
        )}
        {more}
      </>
    )
  return (
    <>
      {item.title && item.title !== item.name && (
        <>
          <span class="strong break">
            <bdi>{foreign(item.title, 80)}</bdi>
          </span>{' '}
        </>
      )}
      <Address text={item.name} strong={!item.title || item.title === item.name} />
      {item.feature === 'template' && (
        <>
          {' '}
          <Badge title="An address with blanks that an app fills in">template</Badge>
        </>
      )}
      {more}
    </>
  )
}
