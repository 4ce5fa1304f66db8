/** The start page: what to do next for a newcomer, afterwards what is going on. No forms. */
import { type CallRow, CallTable } from './activity.tsx'
import { type AppSummary, AppStatusWord } from './apps.tsx'
import { Layout, type Shell } from './layout.tsx'
import { Badge, Status } from './parts/badge.tsx'
import { LinkButton } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { Empty } from './parts/empty.tsx'
import { foreign, plural } from './parts/format.ts'
import { Icon } from './parts/icon.tsx'
import { type Amounts, amountInWords } from './parts/offered.tsx'
import { AgoOr } from './parts/time.tsx'

export type HomePageProps = {
  shell: Shell
  steps: {
    connectionAdded: boolean
    toolsPicked: boolean
    appConnected: boolean
    /** The profile in which a newcomer picks tools. */
    profile: { id: string; title: string }
  }
  calls: readonly CallRow[]
  apps: readonly Pick<AppSummary, 'id' | 'client' | 'profile' | 'device' | 'status' | 'lastUsedAt'>[]
  troubles: readonly { id: string; name: string; problem: string }[]
  /** Profiles with tools that their servers changed. */
  heldBack: readonly { id: string; title: string; holds: Amounts }[]
}

type Step = { title: string; text: string; done: boolean; action: { href: string; label: string } }

const stepsOf = ({ steps }: HomePageProps): Step[] => [
  {
    title: 'Add a connection',
    text: 'An MCP server you use: from the catalogue, by its address, or as a program that runs here.',
    done: steps.connectionAdded,
    action: { href: '/catalogue', label: 'Choose a server' },
  },
  {
    title: 'Pick tools',
    text: `Choose which tools go into your profile ${steps.profile.title}. Tools that only read are ticked for you.`,
    done: steps.toolsPicked,
    action: { href: `/profiles/${steps.profile.id}`, label: 'Pick tools' },
  },
  {
    title: 'Connect an app',
    text: 'Give your app the link of the profile. It sends you here once, to allow it.',
    done: steps.appConnected,
    action: { href: `/profiles/${steps.profile.id}#connect`, label: 'Show the link' },
  },
]

const NextSteps = (p: { steps: Step[] }) => {
  const current = p.steps.findIndex((step) => !step.done)
  return (
    <Card title="Three steps to your first call" flush={true}>
      <ol class="steps">
        {p.steps.map((step, at) => (
          <li
            class={step.done ? 'step step-done' : at === current ? 'step step-current' : 'step'}
            aria-current={at === current ? 'step' : undefined}
          >
            <span class="step-mark" aria-hidden="true">
              {step.done ? <Icon name="check" /> : at + 1}
            </span>
            <div>
              <h3>
                {step.title} {step.done && <Badge tone="ok">done</Badge>}
              </h3>
              <p>{step.text}</p>
              {at === current && (
                <LinkButton href={step.action.href} tone="primary">
                  {step.action.label}
                </LinkButton>
              )}
            </div>
          </li>
        ))}
      </ol>
    </Card>
  )
}

const Troubles = (p: Pick<HomePageProps, 'troubles' | 'heldBack'> & { waiting: number }) => (
  <Card title="Needs attention" flush={true}>
    <ul class="rows">
      {p.waiting > 0 && (
        <li>
          <a class="row-link" href="/approvals">
            <span class="row-title">{plural(p.waiting, 'call')} to decide about</span>
            <Status tone="accent">Waiting</Status>
          </a>
          <p class="row-note">Tools that ask first are about to be used.</p>
        </li>
      )}
      {p.troubles.map((trouble) => (
        <li>
          <a class="row-link" href={`/connections/${trouble.id}`}>
            <span class="row-title">{foreign(trouble.name)}</span>
            <Status tone="danger">Trouble</Status>
          </a>
          <p class="row-note">{trouble.problem}</p>
        </li>
      ))}
      {p.heldBack.map((profile) => (
        <li>
          <a class="row-link" href={`/profiles/${profile.id}`}>
            <span class="row-title">{foreign(profile.title)}</span>
            <Status tone="warning">Held back</Status>
          </a>
          <p class="row-note">
            {amountInWords(profile.holds)} changed at the server since picked. Apps go without until you have looked and accepted.
          </p>
        </li>
      ))}
    </ul>
  </Card>
)

const Apps = (p: { apps: HomePageProps['apps'] }) => (
  <Card title="Connected apps" flush={true} actions={p.apps.length > 0 && <a href="/apps">All</a>}>
    {p.apps.length === 0 ? (
      <Empty icon="app-window" title="No app yet">
        Apps that you let in appear here, each with its own profile, tools and end date.
      </Empty>
    ) : (
      <ul class="rows">
        {p.apps.map((app) => (
          <li>
            <a class="row-link" href={`/apps/${app.id}`}>
              <span class="row-title">
                <bdi>{foreign(app.client, 60)}</bdi>
              </span>
              <AppStatusWord status={app.status} />
            </a>
            <p class="row-note">
              {app.profile}
              {app.device && ` · ${foreign(app.device, 40)}`} · <AgoOr at={app.lastUsedAt} none="never used" />
            </p>
          </li>
        ))}
      </ul>
    )}
  </Card>
)

export const HomePage = (p: HomePageProps) => {
  const steps = stepsOf(p)
  const left = steps.filter((step) => !step.done).length
  const { waiting = 0 } = p.shell
  return (
    <Layout shell={p.shell} title="Home" current="home">
      <PageHead
        title="Home"
        lead={left > 0 ? `${plural(left, 'step')} left until your first call.` : 'What your apps are doing with your tools.'}
      />
      {left > 0 && <NextSteps steps={steps} />}
      {p.troubles.length + p.heldBack.length + waiting > 0 && <Troubles troubles={p.troubles} heldBack={p.heldBack} waiting={waiting} />}
      <div class="split">
        <Card title="Recent calls" flush={true} actions={p.calls.length > 0 && <a href="/activity">All activity</a>}>
          {p.calls.length === 0 ? (
            <Empty icon="activity" title="No calls yet">
              As soon as an app uses a tool, the call is here: which app, which tool, how long it took.
            </Empty>
          ) : (
            <CallTable calls={p.calls} width="brief" />
          )}
        </Card>
        <Apps apps={p.apps} />
      </div>
    </Layout>
  )
}
