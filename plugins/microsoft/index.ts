import { defineOAuthProvider, definePlugin, oauthClientSettings, z } from '@/plugins/api.ts'
import { askFor, firstText } from '../account-name.ts'

const settings = z.object({
  ...oauthClientSettings,
  tenant: z
    .string()
    .regex(/^[A-Za-z0-9.-]{1,253}$/, 'A tenant id, a domain, or one of common, organizations and consumers.')
    .default('common')
    .meta({
      title: 'Tenant',
      description: 'Whose accounts may sign in: “common” for all, “organizations”, “consumers”, or the id or domain of one tenant.',
      placeholder: 'common',
    }),
})

const microsoft = defineOAuthProvider({
  id: 'microsoft',
  title: 'Microsoft',
  description: 'Work, school and personal accounts of Microsoft: Outlook, OneDrive, Teams, by Microsoft Graph.',
  registerAt: 'https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade',
  settings,
  scopes: [
    { name: 'offline_access', description: 'Stay signed in', default: true },
    { name: 'User.Read', description: 'Read your profile', default: true },
    { name: 'Mail.Read', description: 'Read your mail' },
    { name: 'Mail.ReadWrite', description: 'Read, write and delete your mail' },
    { name: 'Mail.Send', description: 'Send mail as you' },
    { name: 'Calendars.Read', description: 'Read your calendars' },
    { name: 'Calendars.ReadWrite', description: 'Read and change your calendars' },
    { name: 'Files.Read', description: 'Read your files' },
    { name: 'Files.ReadWrite', description: 'Read, write and delete your files' },
    { name: 'Sites.Read.All', description: 'Read what you can see in SharePoint' },
    { name: 'Chat.Read', description: 'Read your chats in Teams' },
    { name: 'Tasks.ReadWrite', description: 'Read and change your tasks' },
  ],
  // Its issuer has the tenant of whoever signs in, which with “common” is known to nobody beforehand.
  endpoints: ({ tenant }) => ({
    authorization: `https://login.microsoftonline.com/${tenant}/oauth2/v2.0/authorize`,
    token: `https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`,
  }),
  quirks: () => ({ refreshWithScope: true }),
  async whoAmI({ fetch }, { accessToken }) {
    const found = await askFor(fetch, 'https://graph.microsoft.com/v1.0/me', accessToken)
    return { name: firstText(found, ['userPrincipalName', 'mail', 'displayName']) }
  },
})

export default definePlugin({ id: 'microsoft', version: '1.0.0', title: 'Microsoft', oauthProviders: [microsoft] })
