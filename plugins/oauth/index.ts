import { defineOAuthProvider, definePlugin, oauthClientSettings, z } from '@/plugins/api.ts'
import { askFor, firstText } from '../account-name.ts'

const address = (title: string, description: string, placeholder: string) =>
  z
    .union([z.literal(''), z.url({ protocol: /^https?$/, error: 'Enter an address that begins with https://.' })])
    .default('')
    .meta({ title, description, placeholder })

const settings = z
  .object({
    name: z.string().min(1).max(60).meta({ title: 'Name', description: 'What people here know the service by.', placeholder: 'Acme' }),
    ...oauthClientSettings,
    discovery: address(
      'Issuer or discovery document',
      'Where the service describes itself. Leave it empty and fill in the addresses below where it does not.',
      'https://login.example.com',
    ),
    authorizationUrl: address('Authorization endpoint', 'Where people sign in.', 'https://login.example.com/authorize'),
    tokenUrl: address('Token endpoint', 'Where codes become tokens.', 'https://login.example.com/token'),
    revocationUrl: address('Revocation endpoint', 'Where tokens are ended, if there is one.', 'https://login.example.com/revoke'),
    userInfoUrl: address('Who am I', 'Answers in JSON whose token it is; for the name of the account alone.', 'https://api.example.com/me'),
    scopes: z
      .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'One scope a line, without spaces.'))
      .max(50)
      .default([])
      .meta({ title: 'Scopes', description: 'Asked for at each sign-in. One a line.' }),
    clientAuth: z
      .enum(['post', 'basic', 'none'])
      .default('post')
      .meta({ title: 'How the client shows who it is', description: '“none” is for a client without a secret.' }),
    pkce: z
      .boolean()
      .default(true)
      .meta({ title: 'PKCE', description: 'Switch it off only for a service that refuses parameters that it does not know.' }),
  })
  .superRefine(({ discovery, authorizationUrl, tokenUrl, clientAuth, pkce }, context) => {
    const say = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
    if (discovery === '' && (authorizationUrl === '' || tokenUrl === ''))
      say('discovery', 'Enter this one, or both the authorization and the token endpoint.')
    if (clientAuth === 'none' && !pkce) say('pkce', 'A client without a secret needs PKCE.')
  })

const generic = defineOAuthProvider({
  id: 'oauth',
  title: 'Another service',
  named: ({ name }) => name,
  description: 'Any service that speaks OAuth 2, by its discovery document or by addresses that you type in.',
  settings,
  scopes: [],
  endpoints({ discovery, authorizationUrl, tokenUrl, revocationUrl }) {
    if (authorizationUrl === '' || tokenUrl === '') return { discovery }
    return { authorization: authorizationUrl, token: tokenUrl, ...(revocationUrl === '' ? {} : { revocation: revocationUrl }) }
  },
  quirks: ({ scopes, clientAuth, pkce }) => ({ scopes, clientAuth, pkce }),
  async whoAmI({ fetch, settings: { userInfoUrl } }, { accessToken }) {
    if (userInfoUrl === '') return { name: '' }
    const found = await askFor(fetch, userInfoUrl, accessToken)
    return { name: firstText(found, ['email', 'preferred_username', 'login', 'username', 'name', 'sub']) }
  },
})

export default definePlugin({ id: 'oauth', version: '1.0.0', title: 'OAuth', oauthProviders: [generic] })
