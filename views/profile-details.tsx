/**
 * What a profile is called and how it is served.
 * POST /profiles/:id — title, description, naming (always | on-collision | never), delivery (whole | search), visibility (private | open),
 *   purpose (on), keeps (sizes | redacted | whole).
 *   A plain form: the title stands in the page's head too, so the whole page comes back.
 */
import type { Child } from './jsx-runtime.ts'
import { Button } from './parts/button.tsx'
import { Card } from './parts/card.tsx'
import { FormProblem, type FormState, RadioField, SwitchField, TextArea, TextField } from './parts/field.tsx'
import { plural, short } from './parts/format.ts'
import { levelOf } from './parts/meter.tsx'

/** When the connection's name stands in front of a tool's: `linear__create_issue`. */
export type Naming = 'always' | 'on-collision' | 'never'

/** What an app's model is shown: every tool, or three by which it finds the others. */
export type Delivery = 'whole' | 'search'
export type Deliveries = {
  whole: { tools: number; cost: number }
  /** The three, and those that are pinned. */
  search: { tools: number; cost: number }
  pinned: number
  /** Well-known clients that take this profile by search and not as a whole. */
  helps: readonly string[]
}

/** What the audit trail keeps of arguments and results. */
export type Keeps = 'sizes' | 'redacted' | 'whole'

export type ProfileDetailsProps = {
  profile: {
    id: string
    title: string
    description: string
    naming: Naming
    visibility: 'private' | 'open'
    delivery: Delivery
    asksPurpose: boolean
    keeps: Keeps
  }
  deliveries: Deliveries
  form?: FormState | undefined
}

const wholeInWords = ({ whole: { tools, cost } }: Deliveries): string =>
  tools === 0
    ? 'All of them, always in the context of the model.'
    : `${tools === 1 ? 'Its one tool is' : `All ${tools} are`} in the context of the model from the start: context cost ${short(cost)}.`

const SEARCHES = ['find_tools', 'describe_tool', 'call_tool']

const searchInWords = ({ search: { cost }, pinned }: Deliveries): string => {
  const seen = listInWords(pinned === 0 ? SEARCHES : [...SEARCHES, `the ${plural(pinned, 'tool')} you pinned`], 'and')
  return `It sees ${seen}, and looks for the rest when it needs it: context cost ${short(cost)}, however many tools there are.`
}

function adviceOn(delivery: Delivery, { whole, search, helps }: Deliveries): Child {
  if (delivery === 'search' && whole.tools > 0 && whole.cost <= search.cost)
    return 'So few tools cost less when the model is shown every one of them.'
  if (delivery === 'search') return undefined
  const advised = <strong>Search is advised here.</strong>
  if (helps.length > 0)
    return (
      <>
        {advised} As it is, this profile is more than {listInWords(helps, 'or')} takes; found by search, it fits.
      </>
    )
  return levelOf(whole.cost) === 'heavy' ? <>{advised} So many tools take a large part of the context of the model.</> : undefined
}

const listInWords = (names: readonly string[], last: 'and' | 'or'): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} ${last} ${names.at(-1)}`

const KEPT = [
  {
    value: 'redacted',
    label: 'What was asked and answered, without secrets',
    hint: 'Passwords, tokens, e-mail addresses, phone and card numbers are taken out before anything is written. The rest is kept sealed, and only who made the call can read it.',
  },
  {
    value: 'sizes',
    label: 'Only how much it was',
    hint: 'Who called which tool, when, how it ended and how many bytes went each way. Nothing of what was in it.',
  },
  {
    value: 'whole',
    label: 'Everything as it was',
    hint: 'Secrets too. Kept sealed, and only who made the call can read it. For when you need to see exactly what an app sent.',
  },
] as const

export const ProfileDetails = ({ profile, deliveries, form }: ProfileDetailsProps) => (
  <div id="profile-details">
    <Card title="Details">
      <form class="stack narrow" method="post" action={`/profiles/${profile.id}`}>
        <FormProblem form={form} />
        <TextField
          scope="details"
          name="title"
          label="Title"
          value={profile.title}
          form={form}
          required={true}
          lengthMax={60}
          hint="The address stays as it is."
        />
        <TextArea
          scope="details"
          name="description"
          label="Description"
          value={profile.description}
          form={form}
          optional={true}
          lengthMax={1000}
          hint="Apps read it as the instructions of this server: what the tools are for."
        />
        <RadioField
          scope="details"
          name="naming"
          label="Connection's name in front of the names of its tools and prompts"
          value={profile.naming}
          form={form}
          options={[
            {
              value: 'on-collision',
              label: 'Only when two share a name',
              hint: 'Short names, and never two alike. The address of a resource stays its server’s, unless two servers have the same one.',
            },
            {
              value: 'always',
              label: 'Always',
              hint: 'linear__create_issue: names of tools and prompts stay the same whatever you add later.',
            },
            { value: 'never', label: 'Never', hint: 'Leaves names and addresses untouched. Refused while two share one.' },
          ]}
        />
        <RadioField
          scope="details"
          name="delivery"
          label="What an app's model is shown"
          value={profile.delivery}
          form={form}
          hint={adviceOn(profile.delivery, deliveries)}
          options={[
            { value: 'whole', label: 'Every tool', hint: wholeInWords(deliveries) },
            { value: 'search', label: 'Three tools that find the others', hint: searchInWords(deliveries) },
          ]}
        />
        <RadioField
          scope="details"
          name="visibility"
          label="Who may use this profile"
          value={profile.visibility}
          form={form}
          options={[
            { value: 'private', label: 'Only you' },
            {
              value: 'open',
              label: 'Everyone here',
              hint: 'Others connect their own apps to it by its name. They get its tools of connections that are open to them, and change nothing.',
            },
          ]}
        />
        <RadioField
          scope="details"
          name="keeps"
          label="What the audit trail keeps of each call"
          value={profile.keeps}
          form={form}
          options={KEPT}
        />
        <SwitchField
          scope="details"
          name="purpose"
          label="Ask apps what each call is for"
          on={profile.asksPurpose}
          form={form}
          hint="Each tool gets one optional argument more, in which the model says in a sentence why it calls. You read it in the activity; the server never sees it."
        />
        <div class="actions">
          <Button>Save</Button>
        </div>
      </form>
    </Card>
  </div>
)
