/** Which client is speaking: by name, by secret, by key (RFC 6749 §2.3, RFC 7523). */
import { describe } from 'bun:test'
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { type Case, openSuite } from './compare.ts'
import { twice } from './outcome.ts'
import { type Answer, type App, basic, CALLBACK, type Change, type Json, type Talk, told } from './talking.ts'

const { one, each } = await openSuite()

type Told = [number, unknown]
const GOOD: Told = [200, undefined]
const REQUEST: Told = [400, 'invalid_request']
const CLIENT: Told = [401, 'invalid_client']
const BASIC = { token_endpoint_auth_method: 'client_secret_basic' }
const POST = { token_endpoint_auth_method: 'client_secret_post' }
const MALFORMED = 'RFC 6749 §5.2 fits both: it failed to prove itself, and what it sent is malformed'

type Proof = (app: App & { secret: string }) => { form?: Change; authorization?: string }
/** A code redeemed by a client that proves itself in this way and no other. */
async function redeemWith(talk: Talk, said: Json, prove: Proof): Promise<Answer> {
  const app = await talk.newApp(said)
  const { code, verifier } = await talk.obtain(app)
  const { form, authorization } = prove({ ...app, secret: app.secret ?? '' })
  const asked = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: CALLBACK, ...form }
  return talk.post('token_endpoint', asked, authorization === undefined ? {} : { authorization })
}
const encoded = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`
/** Each character as a percent sign and two digits, which is the same text. */
const percent = (text: string) => [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')

describe('a client with a secret', () => {
  const header: Case<Proof, Told>[] = [
    { name: 'proves itself by the header', input: ({ id, secret }) => ({ authorization: basic(id, secret) }), sees: GOOD },
    {
      name: 'proves itself by the header and names itself in the form',
      input: ({ id, secret }) => ({ form: { client_id: id }, authorization: basic(id, secret) }),
      sees: GOOD,
    },
    {
      name: 'proves itself with its scheme in small letters',
      input: ({ id, secret }) => ({ authorization: basic(id, secret).replace('B', 'b') }),
      sees: GOOD,
    },
    {
      name: 'may encode every character of its header',
      input: ({ id, secret }) => ({ authorization: encoded(`${percent(id)}:${percent(secret)}`) }),
      sees: GOOD,
    },
    {
      name: 'registered for the header and sends it in the form',
      input: ({ id, secret }) => ({ form: { client_id: id, client_secret: secret } }),
      sees: GOOD,
    },
    { name: '[RFC6749-5.2] sends a wrong one', input: ({ id }) => ({ authorization: basic(id, 'wrong') }), sees: CLIENT },
    {
      name: '[RFC6749-5.2] sends it with a letter more',
      input: ({ id, secret }) => ({ authorization: basic(id, `${secret}x`) }),
      sees: CLIENT,
    },
    {
      name: '[RFC6749-5.2] sends a wrong one of odd characters',
      input: ({ id }) => ({ authorization: basic(id, 'a:b%+ "\\&=?/') }),
      sees: CLIENT,
    },
    { name: '[RFC6749-5.2] sends none', input: ({ id }) => ({ form: { client_id: id } }), sees: CLIENT },
    {
      name: '[RFC6749-5.2] sends an empty one in the form',
      input: ({ id }) => ({ form: { client_id: id, client_secret: '' } }),
      sees: CLIENT,
    },
    {
      name: '[RFC6749-5.2] sends that of another',
      input: ({ id }) => ({ authorization: basic(id, `tps_${'x'.repeat(43)}`) }),
      sees: CLIENT,
    },
    {
      name: '[RFC6749-5.2] sends an empty one in the header',
      input: ({ id }) => ({ authorization: basic(id, '') }),
      sees: CLIENT,
      oracle: REQUEST,
      differs: MALFORMED,
    },
    {
      name: 'names another client in the form',
      input: ({ id, secret }) => ({ form: { client_id: 'other' }, authorization: basic(id, secret) }),
      sees: REQUEST,
    },
    {
      name: '[ASSERTION-ALONE] sends it both ways',
      input: ({ id, secret }) => ({ form: { client_id: id, client_secret: secret }, authorization: basic(id, secret) }),
      sees: REQUEST,
    },
    {
      name: '[ABUSE-09] sends it in the form twice',
      input: ({ id, secret }) => ({ form: { client_id: id, client_secret: twice(secret) } }),
      sees: REQUEST,
    },
    ...(
      [
        ['a header of another scheme', ({ secret }) => ({ authorization: `Bearer ${secret}` })],
        ['a header that is not base64', () => ({ authorization: 'Basic !!!' })],
        ['a header without a colon', ({ id }) => ({ authorization: encoded(id) })],
        ['a header with a percent sign that means nothing', ({ id }) => ({ authorization: encoded(`${id}:%zz`) })],
        ['an empty header', () => ({ authorization: 'Basic' })],
      ] as [string, Proof][]
    ).map(([how, input]) => ({ name: `[RFC6749-5.2] sends ${how}`, input, sees: CLIENT, oracle: REQUEST, differs: MALFORMED })),
  ]
  each(header, async (talk, prove) => told(await redeemWith(talk, BASIC, prove)))

  const form: Case<Proof, Told>[] = [
    { name: 'proves itself by the form', input: ({ id, secret }) => ({ form: { client_id: id, client_secret: secret } }), sees: GOOD },
    { name: 'registered for the form and sends the header', input: ({ id, secret }) => ({ authorization: basic(id, secret) }), sees: GOOD },
    {
      name: '[RFC6749-5.2] sends a wrong one in the form',
      input: ({ id }) => ({ form: { client_id: id, client_secret: 'wrong' } }),
      sees: CLIENT,
    },
  ]
  each(form, async (talk, prove) => told(await redeemWith(talk, POST, prove)))

  one('[RFC6749-5.2] that fails is told the scheme', [401, 'Basic'], async (talk) => {
    const { status, headers } = await redeemWith(talk, BASIC, ({ id }) => ({ authorization: basic(id, 'wrong') }))
    return [status, headers.get('www-authenticate')?.split(' ')[0]]
  })
  one('[RFC6749-5.2] in the query of the address is not listened to', CLIENT, async (talk) => {
    const app = await talk.newApp(BASIC)
    const query = `client_id=${app.id}&client_secret=${app.secret}`
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'x', client_id: app.id })
    return told(await talk.send(`${talk.metadata.token_endpoint}?${query}`, { method: 'POST', body }))
  })
})

describe('a client without a secret', () => {
  const cases: Case<Proof, Told>[] = [
    { name: 'is known by its name', input: ({ id }) => ({ form: { client_id: id } }), sees: GOOD },
    {
      name: '[RFC6749-5.2] sends one all the same',
      input: ({ id }) => ({ form: { client_id: id, client_secret: 'made up' } }),
      sees: CLIENT,
    },
    {
      name: '[RFC6749-5.2] sends one in the header all the same',
      input: ({ id }) => ({ authorization: basic(id, 'made up') }),
      sees: CLIENT,
    },
  ]
  each(cases, async (talk, prove) => told(await redeemWith(talk, {}, prove)))
})

describe('a client with a key', () => {
  const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  const now = () => Math.floor(Date.now() / 1000)
  type Key = { privateKey: CryptoKey; jwk: JWK }
  const newKey = async (alg: string): Promise<Key> => {
    const { publicKey, privateKey } = await generateKeyPair(alg)
    return { privateKey, jwk: { ...(await exportJWK(publicKey)), alg, use: 'sig', kid: `key-${alg}` } }
  }
  const claimsOf = (talk: Talk, app: App): JWTPayload => ({
    ...{ iss: app.id, sub: app.id, aud: talk.issuer, jti: crypto.randomUUID(), iat: now(), exp: now() + 60 },
  })
  const signed = (key: Key, claims: JWTPayload, alg = key.jwk.alg as string) =>
    new SignJWT(claims).setProtectedHeader({ alg, kid: key.jwk.kid as string }).sign(key.privateKey)
  const keyed = async (talk: Talk, alg = 'ES256'): Promise<[App, Key]> => {
    const key = await newKey(alg)
    const said = { token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: alg, jwks: { keys: [key.jwk] } }
    return [await talk.newApp(said), key]
  }
  const proof = (client_assertion: string): Change => ({ client_assertion, client_assertion_type: TYPE })
  const redeem = async (talk: Talk, app: App, form: Change) => told(await talk.redeem(app, await talk.obtain(app), form))

  for (const alg of ['RS256', 'PS256', 'ES256'])
    one(`[ASSERTION-GOOD] signs with ${alg}`, GOOD, async (talk) => {
      const [app, key] = await keyed(talk, alg)
      return redeem(talk, app, proof(await signed(key, claimsOf(talk, app))))
    })
  one('[ASSERTION-GOOD] need not name itself beside', GOOD, async (talk) => {
    const [app, key] = await keyed(talk)
    return redeem(talk, app, { client_id: undefined, ...proof(await signed(key, claimsOf(talk, app))) })
  })

  const claims: Case<(usual: JWTPayload, talk: Talk) => JWTPayload, Told>[] = [
    {
      name: '[ASSERTION-GOOD] for the token endpoint',
      input: (usual, talk) => ({ ...usual, aud: talk.metadata.token_endpoint }),
      sees: GOOD,
    },
    { name: '[ASSERTION-GOOD] for the issuer in a list', input: (usual, talk) => ({ ...usual, aud: [talk.issuer] }), sees: GOOD },
    { name: '[ASSERTION-CLAIMS] for another server', input: (usual) => ({ ...usual, aud: 'https://evil.example' }), sees: CLIENT },
    {
      name: '[ASSERTION-CLAIMS] for the issuer with a slash',
      input: (usual, talk) => ({ ...usual, aud: `${talk.issuer}/x` }),
      sees: CLIENT,
    },
    { name: '[ASSERTION-CLAIMS] for nobody', input: ({ aud: _, ...usual }) => usual, sees: CLIENT },
    { name: '[ASSERTION-CLAIMS] of somebody else', input: (usual) => ({ ...usual, iss: 'somebody' }), sees: CLIENT },
    { name: '[ASSERTION-CLAIMS] that has expired', input: (usual) => ({ ...usual, iat: now() - 600, exp: now() - 300 }), sees: CLIENT },
    { name: '[ASSERTION-CLAIMS] that never expires', input: ({ exp: _, ...usual }) => usual, sees: CLIENT },
    { name: '[ASSERTION-CLAIMS] that is not good yet', input: (usual) => ({ ...usual, nbf: now() + 300, exp: now() + 400 }), sees: CLIENT },
    { name: '[ASSERTION-CLAIMS] without a jti', input: ({ jti: _, ...usual }) => usual, sees: CLIENT },
    {
      name: '[ASSERTION-CLAIMS] that is good for a day',
      input: (usual) => ({ ...usual, exp: now() + 86_400 }),
      sees: CLIENT,
      oracle: GOOD,
      differs: 'RFC 7523 §3 lets a server refuse an exp that is unreasonably far away',
    },
  ]
  each(claims, async (talk, change) => {
    const [app, key] = await keyed(talk)
    return redeem(talk, app, proof(await signed(key, change(claimsOf(talk, app), talk))))
  })

  const forged: Case<(talk: Talk, app: App, key: Key) => Promise<Change>, Told>[] = [
    {
      name: '[ASSERTION-KEY] with a key of somebody else',
      input: async (talk, app) => proof(await signed(await newKey('ES256'), claimsOf(talk, app))),
      sees: CLIENT,
    },
    {
      name: '[ASSERTION-KEY] not signed at all',
      input: async (talk, app) => proof(new UnsecuredJWT(claimsOf(talk, app)).encode()),
      sees: CLIENT,
    },
    {
      name: '[ASSERTION-KEY] with its public key as a shared secret',
      input: async (talk, app, { jwk }) => {
        const secret = new TextEncoder().encode(JSON.stringify(jwk).padEnd(64))
        return proof(await new SignJWT(claimsOf(talk, app)).setProtectedHeader({ alg: 'HS256' }).sign(secret))
      },
      sees: CLIENT,
    },
    {
      name: '[ASSERTION-KEY] with its signature cut',
      input: async (talk, app, key) => proof((await signed(key, claimsOf(talk, app))).slice(0, -10)),
      sees: CLIENT,
    },
    { name: '[ASSERTION-ALONE] by its name alone', input: async () => ({}), sees: CLIENT },
    { name: '[ASSERTION-ALONE] by a secret', input: async () => ({ client_secret: 'made up' }), sees: CLIENT },
    {
      name: '[ASSERTION-ALONE] by an assertion and a secret',
      input: async (talk, app, key) => ({ ...proof(await signed(key, claimsOf(talk, app))), client_secret: 'made up' }),
      sees: REQUEST,
    },
    {
      name: '[ASSERTION-ALONE] by an assertion without its type',
      input: async (talk, app, key) => ({ client_assertion: await signed(key, claimsOf(talk, app)) }),
      sees: REQUEST,
    },
    {
      name: '[ASSERTION-ALONE] by an assertion of another type',
      input: async (talk, app, key) => ({
        ...{ client_assertion: await signed(key, claimsOf(talk, app)) },
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer',
      }),
      sees: REQUEST,
    },
    {
      name: '[ASSERTION-ALONE] by an assertion under the name of another',
      input: async (talk, app, key) => ({ ...proof(await signed(key, claimsOf(talk, app))), client_id: (await talk.newApp()).id }),
      sees: CLIENT,
      oracle: REQUEST,
      differs: MALFORMED,
    },
    {
      name: '[ASSERTION-ALONE] by something that is no JWT',
      input: async () => proof('not.a.jwt'),
      sees: CLIENT,
      oracle: REQUEST,
      differs: MALFORMED,
    },
  ]
  each(forged, async (talk, forge) => {
    const [app, key] = await keyed(talk)
    return redeem(talk, app, await forge(talk, app, key))
  })

  one('[ASSERTION-ONCE] proves itself anew each time', [GOOD, CLIENT], async (talk) => {
    const [app, key] = await keyed(talk)
    const once = proof(await signed(key, claimsOf(talk, app)))
    return [await redeem(talk, app, once), await redeem(talk, app, once)]
  })
  one('[ASSERTION-GOOD] proves itself where requests are pushed, tokens looked at and revoked', [201, true, 200, false], async (talk) => {
    const [app, key] = await keyed(talk)
    const fresh = async () => proof(await signed(key, claimsOf(talk, app)))
    const { access_token: token } = talk.tokensOf(await talk.redeem(app, await talk.obtain(app), await fresh()))
    const { status } = await talk.push(app, await fresh())
    const { active } = (await talk.post('introspection_endpoint', { token, ...(await fresh()) })).json
    const revoked = await talk.post('revocation_endpoint', { token, ...(await fresh()) })
    return [status, active, revoked.status, await talk.accepts(token)]
  })
})
