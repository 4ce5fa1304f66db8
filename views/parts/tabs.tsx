import type { Child } from '../jsx-runtime.ts'

/**
 * Tabs without a script: radio buttons, whose arrow keys the browser knows already, and the panels that CSS shows by
 * which of them is checked. Six at most, see `.tabs` in the style sheet.
 */
export const Tabs = (p: { name: string; label: string; tabs: readonly { title: string; panel: Child }[] }) => (
  <fieldset class="tabs">
    <legend class="hidden-text">{p.label}</legend>
    {p.tabs.map((_, at) => (
      <input class="hidden-text" type="radio" name={p.name} id={`${p.name}-${at}`} checked={at === 0} autocomplete="off" />
    ))}
    <div class="tabs-bar">
      {p.tabs.map((tab, at) => (
        <label for={`${p.name}-${at}`}>{tab.title}</label>
      ))}
    </div>
    <div class="tabs-panels">
      {p.tabs.map((tab) => (
        <div>{tab.panel}</div>
      ))}
    </div>
  </fieldset>
)
