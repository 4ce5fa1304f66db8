import { expect, test } from 'bun:test'
import { definePlugin, defineLoginProvider, defineOAuthProvider, oauthClientSettings, type Plugin, z } from '@/plugins/api.ts'
import { sort } from '@/plugins/shapes.ts'
import atlassian from '../../plugins/atlassian/index.ts'
import github from '../../plugins/github/index.ts'
import google from '../../plugins/google/index.ts'
import microsoft from '../../plugins/microsoft/index.ts'
import oauth from '../../plugins/oauth/index.ts'
import slack from '../../plugins/slack/index.ts'

const provider = defineOAuthProvider({
  id: 'casino',
  title: 'Casino',
  description: 'Accounts at the casino.',
  settings: z.object({ ...oauthClientSettings }),
  scopes: [{ name: 'dice', description: 'Throw dice' }],
  endpoints: () => ({ authorization: 'https://casino.example/a', token: 'https://casino.example/t' }),
})
const login = defineLoginProvider({
  ...{ id: 'casino', title: 'Casino', description: 'Sign in with it.', settings: provider.settings, scopes: ['openid'] },
  endpoints: () => ({ discovery: 'https://casino.example' }),
  whoIs: async () => ({ subject: '1', name: 'kim' }),
})
const plugin = (part: object) => definePlugin({ id: 'casino', version: '1.0.0', title: 'Casino', ...part } as Plugin)

test('[PROVIDER-SHAPES] the built-in ones are sound, and one plugin may bring both kinds under one id', () => {
  const { sound, setAside } = sort([
    atlassian,
    github,
    google,
    microsoft,
    oauth,
    slack,
    plugin({ oauthProviders: [provider], loginProviders: [login] }),
  ])
  expect(setAside).toEqual([])
  expect(sound.length).toBe(7)
})

test.each([
  ['an id with capitals', { ...provider, id: 'Casino' }],
  ['no endpoints', { ...provider, endpoints: 'https://casino.example' }],
  ['a scope with a space', { ...provider, scopes: [{ name: 'a b', description: 'Two' }] }],
  ['a scope without words', { ...provider, scopes: [{ name: 'a' }] }],
  ['settings that are no schema', { ...provider, settings: { clientId: '' } }],
  ['settings without a client', { ...provider, settings: z.object({ token: z.string() }) }],
  ['a page to register at that is no https', { ...provider, registerAt: 'javascript:alert(1)' }],
  ['quirks that are no function', { ...provider, quirks: { pkce: false } }],
])('[PROVIDER-SHAPES] set aside: %s', (_, broken) => {
  const { sound, setAside } = sort([github, plugin({ oauthProviders: [broken] })])
  expect(sound.length).toBe(1)
  expect(setAside).toMatchObject([{ id: 'casino' }])
})

test('[PROVIDER-SHAPES] set aside: a login provider that cannot say who somebody is, and a second provider of one id', () => {
  const { whoIs: _, ...nobody } = login
  expect(sort([plugin({ loginProviders: [nobody] })]).setAside).toMatchObject([{ id: 'casino' }])
  const other = { ...plugin({ oauthProviders: [provider] }), id: 'other' }
  expect(sort([plugin({ oauthProviders: [provider] }), other]).setAside).toEqual([
    { id: 'other', reason: 'OAuth provider casino exists already.' },
  ])
})
