import { defineOAuthProvider, definePlugin, type JsonObject, oauthClientSettings, z } from '@/plugins/api.ts'
import { askFor, firstText } from '../account-name.ts'

const API_HEADERS = { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' }

const github = defineOAuthProvider({
  id: 'github',
  title: 'GitHub',
  description: 'Accounts at github.com, by an OAuth app or a GitHub App that you register there.',
  registerAt: 'https://github.com/settings/developers',
  settings: z.object({ ...oauthClientSettings }),
  scopes: [
    { name: 'read:user', description: 'Read your profile', default: true },
    { name: 'user:email', description: 'Read your e-mail addresses' },
    { name: 'public_repo', description: 'Read and write your public repositories' },
    { name: 'repo', description: 'Read and write all your repositories, private ones too' },
    { name: 'read:org', description: 'See your organisations and teams' },
    { name: 'workflow', description: 'Change workflow files of GitHub Actions' },
    { name: 'gist', description: 'Write gists' },
    { name: 'notifications', description: 'Read notifications and mark them as read' },
    { name: 'project', description: 'Read and write projects' },
  ],
  endpoints: () => ({
    issuer: 'https://github.com/login/oauth',
    authorization: 'https://github.com/login/oauth/authorize',
    token: 'https://github.com/login/oauth/access_token',
  }),
  readTokenAnswer: commasToSpaces,
  async whoAmI({ fetch }, { accessToken }) {
    return { name: firstText(await askFor(fetch, 'https://api.github.com/user', accessToken, { headers: API_HEADERS }), ['login']) }
  },
  async revoke(context, { accessToken }) {
    const { clientId, clientSecret } = context.settings
    const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
    await context.fetch(`https://api.github.com/applications/${encodeURIComponent(clientId)}/token`, {
      method: 'DELETE',
      headers: { ...API_HEADERS, 'content-type': 'application/json', authorization: `Basic ${basic}` },
      body: JSON.stringify({ access_token: accessToken }),
    })
  },
})

/** Scopes are asked for with spaces and told with commas. */
function commasToSpaces(answer: JsonObject): JsonObject {
  const { scope } = answer
  return typeof scope === 'string' ? { ...answer, scope: scope.replaceAll(',', ' ') } : answer
}

export default definePlugin({ id: 'github', version: '1.0.0', title: 'GitHub', oauthProviders: [github] })
