import { defineOAuthProvider, definePlugin, oauthClientSettings, z } from '@/plugins/api.ts'
import { askFor, firstText } from '../account-name.ts'

const api = (name: string) => `https://www.googleapis.com/auth/${name}`

const google = defineOAuthProvider({
  id: 'google',
  title: 'Google',
  description: 'Google accounts: Gmail, Calendar, Drive and the rest of Workspace.',
  registerAt: 'https://console.cloud.google.com/auth/clients',
  settings: z.object({ ...oauthClientSettings }),
  scopes: [
    { name: 'openid', description: 'Know that it is the same account again', default: true },
    { name: api('userinfo.email'), description: 'See your e-mail address', default: true },
    { name: api('gmail.readonly'), description: 'Read your mail' },
    { name: api('gmail.send'), description: 'Send mail as you' },
    { name: api('gmail.modify'), description: 'Read, write, label and send mail, but not delete it for good' },
    { name: api('calendar.readonly'), description: 'See your calendars and events' },
    { name: api('calendar.events'), description: 'See and change events in your calendars' },
    { name: api('drive.file'), description: 'See and change the files that are opened or made with this app' },
    { name: api('drive.readonly'), description: 'See and download all your files in Drive' },
    { name: api('documents'), description: 'See and change your documents' },
    { name: api('spreadsheets'), description: 'See and change your spreadsheets' },
    { name: api('contacts.readonly'), description: 'See your contacts' },
    { name: api('tasks'), description: 'See and change your tasks' },
  ],
  endpoints: () => ({
    issuer: 'https://accounts.google.com',
    authorization: 'https://accounts.google.com/o/oauth2/v2/auth',
    token: 'https://oauth2.googleapis.com/token',
    revocation: 'https://oauth2.googleapis.com/revoke',
  }),
  quirks: () => ({
    // Without the first there is no refresh token; with the second, what was allowed before stays allowed.
    authorizationParameters: { access_type: 'offline', include_granted_scopes: 'true' },
    // A refresh token is given out with a consent and at no other time.
    consentParameters: { prompt: 'consent' },
  }),
  async whoAmI({ fetch }, { accessToken }) {
    const found = await askFor(fetch, 'https://openidconnect.googleapis.com/v1/userinfo', accessToken)
    return { name: firstText(found, ['email', 'name']) }
  },
})

export default definePlugin({ id: 'google', version: '1.0.0', title: 'Google', oauthProviders: [google] })
