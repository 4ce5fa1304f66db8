/**
 * All routes, each behind its door. What is here is loaded with the first request for one of them: calls go another way, and a house
 * that only serves calls holds no pages.
 */
import { join } from 'node:path'
import { Elysia } from 'elysia'
import htmx from 'htmx.org/dist/htmx.min.js' with { type: 'file' }
import type { House } from '../app.ts'
import { mcpRoutes } from '../gateway/index.ts'
import { createDoors } from '../http/doors.ts'
import { createFiles } from '../http/files.ts'
import { createReply } from '../http/reply.ts'
import { shipped } from '../lib/assets.ts'
import { oauthRoutes } from '../oauth/index.ts'
import { clientLimits } from '../profiles/index.ts'
import {
  accountsRoutes,
  adminControlRoutes,
  activityRoutes,
  adminRoutes,
  approvalsRoutes,
  appControlRoutes,
  appsRoutes,
  callRoutes,
  catalogueManageRoutes,
  catalogueRoutes,
  clientsRoutes,
  connectionAccountRoutes,
  connectionChangesRoutes,
  connectionRoutes,
  connectionsRoutes,
  consentRoutes,
  deviceRoutes,
  digestRoutes,
  createProblems,
  createShell,
  doctorRoutes,
  exportRoutes,
  homeRoutes,
  importRoutes,
  limitsRoutes,
  loginRoutes,
  logoutRoutes,
  ownDocumentRoutes,
  noticesRoutes,
  ownClientsRoutes,
  pluginsRoutes,
  profileControlRoutes,
  profileRoutes,
  providersRoutes,
  profileChangesRoutes,
  profileToolRoutes,
  profileToolsRoutes,
  programFetchesRoutes,
  programsRoutes,
  resetRoutes,
  settingsRoutes,
  setupRoutes,
  subRegistryRoutes,
  tokensRoutes,
  trailRoutes,
  upstreamSignInRoutes,
  userLimitsRoutes,
  usageRoutes,
} from '../web/index.ts'

const ASSETS = ['toolpass.css', 'toolpass.js', 'push-worker.js', 'favicon.svg'] as const

export function createApp(house: House) {
  const { log, users, grants, addresses } = house
  const files = createFiles({ ...Object.fromEntries(ASSETS.map((name) => [name, shipped(join('views/assets', name))])), 'htmx.js': htmx })
  const reply = createReply(addresses)
  const shell = createShell({ files, waiting: house.approvals.countWaiting, pauses: grants.pauses })
  const doors = createDoors({ sessions: users.sessions })
  const problem = createProblems({ reply, shell, log })
  const deps = { ...house, clientLimits, doors, reply, shell, files }
  return new Elysia({ handler: { standardHostname: false } })
    .onError(({ error, code, request }) => problem(error, String(code), request))
    .use(
      doors
        .open('')
        .get('/assets/:file', ({ request, params, status }) => files.answer(request, params.file) ?? status(404, 'No such file.')),
    )
    .use(oauthRoutes(house))
    .use(mcpRoutes(house))
    .use(setupRoutes(deps))
    .use(resetRoutes(deps))
    .use(loginRoutes(deps))
    .use(logoutRoutes(deps))
    .use(consentRoutes(deps))
    .use(deviceRoutes(deps))
    .use(ownDocumentRoutes(deps))
    .use(homeRoutes(deps))
    .use([profileRoutes(deps), profileControlRoutes(deps)])
    .use(profileToolsRoutes(deps))
    .use([profileChangesRoutes(deps), profileToolRoutes(deps)])
    .use(catalogueRoutes(deps))
    .use(catalogueManageRoutes(deps))
    .use(subRegistryRoutes(deps))
    .use(importRoutes(deps))
    .use(connectionsRoutes(deps))
    .use(upstreamSignInRoutes(deps))
    .use([connectionRoutes(deps), connectionChangesRoutes(deps), connectionAccountRoutes(deps), accountsRoutes(deps)])
    .use(doctorRoutes(deps))
    .use([appsRoutes(deps), appControlRoutes(deps)])
    .use([...limitsRoutes(deps), userLimitsRoutes(deps)])
    .use(ownClientsRoutes(deps))
    .use(tokensRoutes(deps))
    .use(activityRoutes(deps))
    .use([exportRoutes(deps), usageRoutes(deps), digestRoutes(deps), callRoutes(deps), approvalsRoutes(deps)])
    .use([settingsRoutes(deps), noticesRoutes(deps)])
    .use([
      adminRoutes(deps),
      adminControlRoutes(deps),
      programsRoutes(deps),
      trailRoutes(deps),
      programFetchesRoutes(deps),
      clientsRoutes(deps),
      pluginsRoutes(deps),
      providersRoutes(deps),
    ])
}
export type App = ReturnType<typeof createApp>
