import { defineOAuthProvider, definePlugin, oauthClientSettings, z } from '@/plugins/api.ts'
import { askFor, firstText } from '../account-name.ts'

const atlassian = defineOAuthProvider({
  id: 'atlassian',
  title: 'Atlassian',
  description: 'Jira and Confluence in the cloud, by an OAuth 2.0 (3LO) app that you make there.',
  registerAt: 'https://developer.atlassian.com/console/myapps/',
  settings: z.object({ ...oauthClientSettings }),
  scopes: [
    { name: 'offline_access', description: 'Stay signed in', default: true },
    { name: 'read:me', description: 'Read your profile', default: true },
    { name: 'read:jira-work', description: 'Read Jira projects and issues' },
    { name: 'write:jira-work', description: 'Create and edit Jira issues, comments and worklogs' },
    { name: 'read:jira-user', description: 'See people in Jira' },
    { name: 'search:confluence', description: 'Search Confluence' },
    { name: 'read:confluence-content.all', description: 'Read Confluence pages' },
    { name: 'write:confluence-content', description: 'Create and edit Confluence pages' },
  ],
  endpoints: () => ({
    authorization: 'https://auth.atlassian.com/authorize',
    token: 'https://auth.atlassian.com/oauth/token',
  }),
  // Which API the token is for. Its refresh tokens are good once; the next one comes with each refresh.
  quirks: () => ({ authorizationParameters: { audience: 'api.atlassian.com', prompt: 'consent' } }),
  async whoAmI({ fetch }, { accessToken }) {
    return { name: firstText(await askFor(fetch, 'https://api.atlassian.com/me', accessToken), ['email', 'name']) }
  },
})

export default definePlugin({ id: 'atlassian', version: '1.0.0', title: 'Atlassian', oauthProviders: [atlassian] })
