/** What the reader's week was, as the weekly notice tells it. */
import { Layout, type Shell } from './layout.tsx'
import { LinkButton } from './parts/button.tsx'
import { Card, PageHead } from './parts/card.tsx'
import { Empty } from './parts/empty.tsx'
import { counted, exact, foreign, plural } from './parts/format.ts'
import { ActivityPlaces } from './parts/places.tsx'

type Entry = { name: string; href: string; note?: string | undefined; calls?: number | undefined }
export type DigestPageProps = {
  shell: Shell
  from: number
  to: number
  calls: number
  callsBefore: number
  failed: number
  refused: number
  tools: readonly Entry[]
  apps: readonly Entry[]
  newApps: readonly Entry[]
  troubled: readonly Entry[]
  /** Tools of the reader's profiles that nobody called for a while. */
  unused: number
}

/** "a third more than the week before" says less than the number. */
const change = (now: number, before: number): string => {
  if (before === 0) return now === 0 ? 'as in the week before' : 'none in the week before'
  const percent = Math.round(((now - before) / before) * 100)
  if (percent === 0) return 'as many as in the week before'
  return `${Math.abs(percent)} % ${percent > 0 ? 'more' : 'fewer'} than in the week before`
}

const Entries = (p: { title: string; entries: readonly Entry[]; mono?: boolean }) =>
  p.entries.length === 0 ? (
    <></>
  ) : (
    <Card title={p.title} flush={true}>
      <table class="table table-lean table-headless">
        <thead class="hidden-text">
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Calls</th>
          </tr>
        </thead>
        <tbody>
          {p.entries.map((entry) => (
            <tr>
              <td class="cell-main">
                <a class={p.mono ? 'mono strong break' : 'strong break'} href={entry.href}>
                  <bdi>{foreign(entry.name, 60)}</bdi>
                </a>
                {entry.note && <p class="cell-note">{foreign(entry.note, 200)}</p>}
              </td>
              <td class="number">{entry.calls !== undefined && `${counted(entry.calls)} ${entry.calls === 1 ? 'call' : 'calls'}`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  )

const Figures = (p: DigestPageProps) => (
  <dl class="figures">
    <div>
      <dt>
        {p.calls === 1 ? 'call' : 'calls'}, {change(p.calls, p.callsBefore)}
      </dt>
      <dd>{counted(p.calls)}</dd>
    </div>
    <div>
      <dt>failed</dt>
      <dd>{counted(p.failed)}</dd>
    </div>
    <div>
      <dt>refused</dt>
      <dd>{counted(p.refused)}</dd>
    </div>
    <div>
      <dt>
        <a href="/activity/usage">unused for 30 days</a>
      </dt>
      <dd>{plural(p.unused, 'tool')}</dd>
    </div>
  </dl>
)

export const DigestPage = (p: DigestPageProps) => {
  const isQuiet = p.calls === 0 && p.newApps.length === 0 && p.troubled.length === 0
  return (
    <Layout shell={p.shell} title="Weekly digest" current="activity">
      <PageHead
        title="Activity"
        lead={`Your last seven days, from ${exact(p.from).slice(0, 10)} on. Once a week it is told by the ways that you chose in Settings.`}
      />
      <ActivityPlaces current="/activity/digest" />
      {isQuiet ? (
        <Card>
          <Empty icon="activity" title="A quiet week" action={<LinkButton href="/profiles">Connect an app</LinkButton>}>
            No app of yours called anything in the last seven days.
          </Empty>
        </Card>
      ) : (
        <>
          <Figures {...p} />
          <Entries title="In trouble" entries={p.troubled} />
          <Entries title="Let in this week" entries={p.newApps} />
          <div class="columns">
            <Entries title="Most used tools" entries={p.tools} mono={true} />
            <Entries title="Most active apps" entries={p.apps} />
          </div>
        </>
      )}
    </Layout>
  )
}
