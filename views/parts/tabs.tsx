import type { Child } from '../jsx-runtime.ts'

/**
 * Tabs without a script: radio buttons, whose arrow keys the browser knows already. Each stands right before its label and
 * its panel, so that Tab leads from the chosen one into what it shows; CSS puts the labels side by side. Sets may be nested:
 * `chips` is the look of an inner one.
 */
export const Tabs = (p: {
  name: string
  label: string
  look?: 'bar' | 'chips' | undefined
  tabs: readonly { id: string; title: string; panel: Child }[]
}) => (
  <fieldset>
    <legend class="hidden-text">{p.label}</legend>
    <div class={`tabs tabs-${p.look ?? 'bar'}`}>
      {p.tabs.map((tab, at) => (
        <>
          <input class="hidden-text" type="radio" name={p.name} id={`${p.name}-${tab.id}`} checked={at === 0} autocomplete="off" />
          <label for={`${p.name}-${tab.id}`}>{tab.title}</label>
          <div class="tabs-panel">{tab.panel}</div>
        </>
      ))}
    </div>
  </fieldset>
)
