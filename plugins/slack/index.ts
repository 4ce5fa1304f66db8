import { defineOAuthProvider, definePlugin, type JsonObject, oauthClientSettings, z } from '@/plugins/api.ts'
import { askFor, firstText } from '../account-name.ts'

const settings = z.object({
  ...oauthClientSettings,
  speaksAs: z.enum(['user', 'bot']).default('user').meta({
    title: 'Speaks as',
    description: '“user”: what it does is done in the name of the person. “bot”: in the name of the app, which has to be in the channel.',
  }),
})

const slack = defineOAuthProvider({
  id: 'slack',
  title: 'Slack',
  description: 'Slack workspaces, by a Slack app that you make there. Slack takes https addresses to come back to only.',
  registerAt: 'https://api.slack.com/apps',
  settings,
  scopes: [
    { name: 'users:read', description: 'See who is in the workspace', default: true },
    { name: 'channels:read', description: 'See public channels', default: true },
    { name: 'channels:history', description: 'Read public channels' },
    { name: 'groups:history', description: 'Read private channels' },
    { name: 'im:history', description: 'Read direct messages' },
    { name: 'mpim:history', description: 'Read group messages' },
    { name: 'search:read', description: 'Search messages and files (as a user only)' },
    { name: 'chat:write', description: 'Write messages' },
    { name: 'files:read', description: 'See files' },
    { name: 'reactions:write', description: 'Add and remove reactions' },
  ],
  endpoints: () => ({
    authorization: 'https://slack.com/oauth/v2/authorize',
    token: 'https://slack.com/api/oauth.v2.access',
  }),
  quirks: ({ speaksAs }) => ({
    scopeSeparator: ',',
    scopeParameter: speaksAs === 'user' ? 'user_scope' : 'scope',
    // An app has to be made one that uses PKCE, and is then a public client for good.
    pkce: false,
  }),
  readTokenAnswer,
  async whoAmI({ fetch }, { accessToken }) {
    const found = await askFor(fetch, 'https://slack.com/api/auth.test', accessToken, { method: 'POST' })
    const name = firstText(found, ['user'])
    const team = firstText(found, ['team'])
    return { name: team ? `${name} at ${team}` : name }
  },
  async revoke({ fetch }, { accessToken }) {
    await askFor(fetch, 'https://slack.com/api/auth.revoke', accessToken, { method: 'POST' })
  },
})

/** A user's token stands a level below, errors come with status 200, and scopes are told with commas. */
function readTokenAnswer(answer: JsonObject): JsonObject {
  if (answer['ok'] === false) return { error: firstText(answer, ['error']).replace(/^invalid_(code|refresh_token)$/, 'invalid_grant') }
  const nested = answer['authed_user']
  const user = typeof nested === 'object' && nested !== null ? (nested as JsonObject) : {}
  const found = typeof user['access_token'] === 'string' ? user : answer
  const { access_token, refresh_token, expires_in, scope } = found
  return {
    access_token,
    token_type: 'bearer',
    ...(refresh_token === undefined ? {} : { refresh_token }),
    ...(expires_in === undefined ? {} : { expires_in }),
    ...(typeof scope === 'string' ? { scope: scope.replaceAll(',', ' ') } : {}),
  }
}

export default definePlugin({ id: 'slack', version: '1.0.0', title: 'Slack', oauthProviders: [slack] })
