/** Each page as the gallery shows it, by the name of its picture. */
import { waysInto } from '@/web/profile-facts.ts'
import { AdminPage } from '@views/admin.tsx'
import { AuthorizationProblemPage } from '@views/authorization-problem.tsx'
import { ConnectionPage } from '@views/connection.tsx'
import { NewConnectionPage } from '@views/connection-new.tsx'
import { ConnectionsPage } from '@views/connections.tsx'
import { ConsentNoProfilePage, ConsentNoToolsPage, ConsentPage } from '@views/consent.tsx'
import { ConsentPolicyPage } from '@views/consent-policy.tsx'
import { DeviceCodePage, DeviceDonePage } from '@views/device.tsx'
import { ErrorPage } from '@views/error.tsx'
import { HomePage } from '@views/home.tsx'
import type { Html } from '@views/jsx-runtime'
import { LoginPage } from '@views/login.tsx'
import { ProfilePage } from '@views/profile.tsx'
import { ProfilesPage } from '@views/profiles.tsx'
import { SettingsPage } from '@views/settings.tsx'
import { LinkUsedPage, ResetPage, SetupPage } from '@views/setup.tsx'
import { deliveries, featurePages } from './features.tsx'
import { connectionLimits, limitPages } from './limits.tsx'
import { prompts, resources } from './offered.ts'
import { approvalsPages, notices } from './approvals.tsx'
import { cataloguePages } from './catalogue.tsx'
import { controlPages } from './control.tsx'
import { doctorPages } from './doctor.tsx'
import { pluginsPages } from './plugins.tsx'
import { providersPages } from './providers.tsx'
import { programPages, protections } from './programs.tsx'
import { registryPages } from './registry.tsx'
import { trailPages } from './trail.tsx'
import { again, choices, claude, cursor, device, firstTime, refusedConsent, sameAgain, unready } from './consents.ts'
import {
  EVIL,
  LONG,
  apps,
  asking,
  chips,
  connection,
  connectors,
  edit,
  few,
  groups,
  holding,
  many,
  member,
  now,
  probe,
  profile,
  profiles,
  sessions,
  shell,
  stdioForm,
  steps,
  stranger,
  summaries,
  toasted,
  upstreamTools,
  users,
  waitingFor,
  work,
} from './samples.ts'
import { activityPages } from './activity.tsx'
import { calls } from './calls.ts'
import { changedTools } from './changes.ts'

export const doorPages: Record<string, Html> = {
  setup: <SetupPage shell={shell} token="t" publicUrl="http://localhost:8080" reach="this-computer" passwordLengthMin={10} />,
  'setup-refused': (
    <SetupPage
      shell={shell}
      token="t"
      publicUrl="https://tools.example.org"
      reach="internet"
      passwordLengthMin={10}
      form={{ values: { username: 'kim' }, errors: { password: 'Use at least 10 characters.' } }}
    />
  ),
  'setup-used': <LinkUsedPage shell={shell} why="used" purpose="setup" />,
  reset: <ResetPage shell={shell} token="t" username="noor" passwordLengthMin={10} />,
  login: <LoginPage shell={shell} next="/oauth/authorize?request=x" />,
  'login-refused': <LoginPage shell={shell} form={{ values: { username: 'kim' }, errors: { form: 'User name or password is wrong.' } }} />,
  'login-slowed': <LoginPage shell={shell} slowedForSeconds={30} />,
  'error-404': <ErrorPage shell={shell} status={404} />,
  'error-500': <ErrorPage shell={shell} status={500} requestId="req_01J9ZQ4T8M3" />,
  problem: (
    <AuthorizationProblemPage
      shell={shell}
      code="invalid_redirect_uri"
      message="The address it wants you sent back to is not one that it registered."
      detail={`redirect_uri ${LONG} ${EVIL}`}
    />
  ),
  consent: <ConsentPage {...asking} {...firstTime} tools={few} />,
  'consent-stranger': <ConsentPage {...stranger} {...firstTime} choices={choices} tools={many} unready={unready} deviceName="" />,
  'consent-known': <ConsentPage {...cursor} {...firstTime} tools={few} />,
  'consent-again': <ConsentPage {...claude} {...again} tools={few} />,
  'consent-again-same': <ConsentPage {...claude} {...again} earlier={sameAgain} replaceable={[]} tools={few} />,
  'consent-refused': <ConsentPage {...asking} {...firstTime} tools={few} form={refusedConsent} />,
  'consent-device': <ConsentPage {...device} {...firstTime} tools={few} />,
  'consent-waits': <ConsentPolicyPage {...stranger} why="waits" mayApprove={false} />,
  'consent-waits-admin': <ConsentPolicyPage {...cursor} why="waits" mayApprove={true} />,
  'consent-not-listed': <ConsentPolicyPage {...device} why="not-listed" mayApprove={false} />,
  'consent-no-tools': <ConsentNoToolsPage {...asking} profile={work} choices={choices} />,
  'consent-no-profile': <ConsentNoProfilePage {...asking} slug="reserch" profileTitles={['Home', LONG]} />,
  device: <DeviceCodePage shell={shell} username="kim" userCode="" />,
  'device-filled': <DeviceCodePage shell={shell} username="kim" userCode="BCDF-GHJK" />,
  'device-refused': (
    <DeviceCodePage
      shell={shell}
      username="kim"
      userCode="BCDF-GHJX"
      form={{ errors: { user_code: 'This code is unknown or has expired. Start again on the device.' } }}
    />
  ),
  'device-allowed': <DeviceDonePage shell={shell} allowed={true} />,
  'device-denied': <DeviceDonePage shell={shell} allowed={false} />,
}
export const innerPages: Record<string, Html> = {
  ...controlPages,
  ...pluginsPages,
  ...providersPages,
  ...cataloguePages,
  ...programPages,
  ...registryPages,
  ...trailPages,
  ...featurePages,
  ...limitPages,
  ...doctorPages,
  'home-new': <HomePage shell={shell} steps={steps(false)} calls={[]} apps={[]} troubles={[]} heldBack={[]} />,
  home: (
    <HomePage
      shell={toasted}
      steps={{ ...steps(true), toolsPicked: true, appConnected: true }}
      calls={calls}
      apps={apps.slice(0, 3)}
      heldBack={[{ id: 'pro_1', title: 'Work', holds: holding(2, 1) }]}
      troubles={[{ id: 'con_2', name: 'Company docs', problem: 'The connected server refused the credential. Sign in to it again.' }]}
    />
  ),
  profiles: (
    <ProfilesPage
      shell={shell}
      profiles={summaries}
      open={[]}
      form={{ values: { title: 'Work' }, errors: { title: 'This name is taken.' } }}
    />
  ),
  'profile-new': (
    <ProfilePage
      control={{ apps: 3, users: 2, paused: undefined }}
      shell={shell}
      profile={{ ...profile, description: '' }}
      groups={[]}
      saved={holding(0)}
      deliveries={deliveries(0)}
      chips={[]}
      changed={[]}
      reach="internet"
      ways={waysInto({ ...profile, name: 'work' }, 'internet', chips)}
      waiting={waitingFor.waiting}
      apps={[]}
    />
  ),
  profile: (
    <ProfilePage
      control={{ apps: 3, users: 2, paused: undefined }}
      shell={toasted}
      profile={profile}
      groups={groups(true)}
      saved={holding(4, 2, 0, 1)}
      deliveries={deliveries(4)}
      chips={chips}
      changed={changedTools}
      reach="this-network"
      ways={waysInto({ ...profile, name: 'work' }, 'this-network', chips)}
      waiting={waitingFor.waiting}
      apps={apps}
    />
  ),
  'profile-called': (
    <ProfilePage
      control={{ apps: 3, users: 2, paused: undefined }}
      shell={shell}
      profile={{ ...profile, title: LONG }}
      groups={groups(true)}
      saved={holding(4, 2, 0, 1)}
      deliveries={deliveries(4)}
      chips={chips}
      changed={[]}
      reach="internet"
      ways={waysInto({ ...profile, name: 'work', title: LONG + EVIL }, 'internet', chips)}
      waiting={waitingFor.called}
      apps={[]}
    />
  ),
  'connections-empty': <ConnectionsPage shell={member} connections={[]} />,
  connections: (
    <ConnectionsPage
      shell={shell}
      connections={[
        { ...connection, tools: 7, owner: undefined },
        {
          ...connection,
          id: 'con_2',
          name: 'Company docs',
          summary: `docs.example.org/${LONG}`,
          state: 'trouble',
          problem: 'The connected server refused the credential. Sign in to it again.',
          tools: 2,
          sharing: 'private',
        },
        {
          ...connection,
          id: 'con_3',
          name: EVIL,
          connector: 'Program (stdio)',
          summary: 'npx -y @modelcontextprotocol/server-filesystem /srv/files',
          state: 'checking',
          tools: 0,
          owner: 'noor',
          checkedAt: undefined,
        },
      ]}
    />
  ),
  'connection-choose': <NewConnectionPage shell={member} connectors={connectors.map((each) => ({ ...each, allowed: !each.runsHere }))} />,
  'connection-stdio': (
    <NewConnectionPage
      shell={shell}
      connectors={connectors}
      chosen={{ id: 'stdio', schema: stdioForm }}
      form={{
        values: { name: 'Files', 'settings.args': '-y\n@modelcontextprotocol/server-filesystem' },
        errors: { 'settings.command': 'There is no such program here.', form: 'It could not be started.' },
      }}
    />
  ),
  connection: (
    <ConnectionPage
      control={{ apps: 3, users: 2, whose: 'everyone', paused: { kind: 'connection', own: false, byName: 'kim', at: now - 9_000_000 } }}
      paused={{ kind: 'connection', own: false, byName: 'kim', at: now - 9_000_000 }}
      shell={shell}
      limits={connectionLimits}
      changed={changedTools.slice(0, 1)}
      trust={false}
      connection={connection}
      tools={upstreamTools}
      others={[...prompts, ...resources]}
      program={{
        protections,
        fetches: 'Its first start downloads the package “mcp-server-git” and what it needs from the Python package index.',
        running: { pid: 41_207, since: now - 600_000, memoryBytes: 84_000_000, memoryMb: 2_048, inFlight: 1 },
      }}
      log={['[info] listening', `[warn] ${EVIL} ${LONG}`]}
      edit={edit}
      usedBy={profiles}
    />
  ),
  'connection-probing': (
    <ConnectionPage
      shell={shell}
      connection={{ ...connection, state: 'checking', checkedAt: undefined, upstream: undefined }}
      tools={[]}
      others={[]}
      probe={probe(false, false)}
      edit={edit}
      usedBy={[]}
    />
  ),
  'connection-probed': (
    <ConnectionPage shell={shell} connection={connection} tools={upstreamTools} others={[]} probe={probe(true, false)} usedBy={[]} />
  ),
  'connection-failed': (
    <ConnectionPage
      shell={shell}
      connection={{
        ...connection,
        state: 'trouble',
        problem: 'Its host name does not exist.',
        fix: 'Check the address below. A typing error is the usual reason.',
      }}
      tools={[]}
      others={[]}
      edit={{ ...edit, form: { values: edit.saved, errors: { 'settings.url': 'This is no https address.' } } }}
      usedBy={[]}
    />
  ),
  ...activityPages,
  ...approvalsPages,
  settings: (
    <SettingsPage
      notices={notices}
      inApp="not-destructive"
      shell={shell}
      sessions={sessions}
      passwordLengthMin={10}
      passwordForm={{ errors: { current_password: 'The current password is wrong.' } }}
    />
  ),
  admin: (
    <AdminPage
      control={{ apps: 14, users: 3, paused: undefined }}
      shell={shell}
      users={users}
      passwordLengthMin={10}
      link={{ username: 'noor', url: `https://tools.example.org/reset#${LONG}`, hours: 24 }}
    />
  ),
}
