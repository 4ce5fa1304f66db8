/** The doctor's judgement on its own: which notes are one attempt, whose it is, and what is said of it. */
import { describe, expect, test } from 'bun:test'
import { heapStats } from 'bun:jsc'
import { createTrace, type TraceEntry, type TraceNote } from '@/audit'
import { createDoorbell } from '@/gateway/doorbell.ts'
import type { Grant } from '@/grants'
import { createFront } from '@/http/incoming.ts'
import { newClientId, newGrantId, newUserId } from '@/lib/ids.ts'
import { type Attempt, attemptState, attemptsOf, isQuiet, ownPart } from '@/web/doctor-attempts.ts'
import type { Facts } from '@/web/doctor-case.ts'
import { diagnose } from '@/web/doctor-diagnose.ts'
import { openHouse, told, type Tokens } from '../support/oauth.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOME = '192.0.2.1'
const WEB = '198.51.100.9'
const CLIENT = newClientId()
const ADA = newUserId()
const MIA = newUserId()

const time = { now: 0 }
type Note = Partial<TraceNote> & Pick<TraceNote, 'step'> & { afterMs?: number }
const noted = (...notes: readonly Note[]): readonly TraceEntry[] => {
  time.now = Date.UTC(2030, 0, 1)
  const trace = createTrace({ clock: () => time.now })
  for (const { afterMs = SECOND, ...note } of notes) {
    time.now += afterMs
    trace.note({ outcome: 'ok', address: HOME, ...note })
  }
  return trace.since(0)
}
const knock = { step: 'request', outcome: 'refused', reason: 'no_token' } as const
const found = [knock, { step: 'resource-metadata' }, { step: 'server-metadata' }] as const
const registered = [...found, { step: 'register', clientId: CLIENT }] as const
const asked = [...registered, { step: 'authorize', clientId: CLIENT, userId: ADA }] as const
const allowed = [...asked, { step: 'consent', clientId: CLIENT, userId: ADA }] as const
const tokened = [...allowed, { step: 'token', clientId: CLIENT }] as const
const sees = (attempt: Attempt, userId: typeof ADA, address: string) =>
  ownPart(attempt, { userId, address })?.entries.map(({ step }) => step)
const connected = [...tokened, { step: 'request', clientId: CLIENT, userId: ADA }] as const

describe('attempts', () => {
  test('[DOCTOR-WAY] are one from the first knock to the first request, also where a browser and a server take turns', () => {
    const web = connected.map((note) => ({ ...note, address: ['authorize', 'consent'].includes(note.step) ? HOME : WEB }))
    for (const notes of [connected, web]) {
      const attempts = attemptsOf(noted(...notes))
      expect(attempts).toHaveLength(1)
      expect(attemptState(attempts[0]!, time.now)).toBe('connected')
    }
  })

  test('[DOCTOR-WAY] begin anew when the same app starts again', () => {
    expect(attemptsOf(noted(...connected, { ...knock, afterMs: MINUTE }, { step: 'server-metadata' }))).toHaveLength(2)
    const refused = { step: 'consent', outcome: 'refused', clientId: CLIENT, userId: ADA } as const
    expect(attemptsOf(noted(...asked, refused, { step: 'authorize', clientId: CLIENT, userId: ADA }))).toHaveLength(2)
    expect(attemptsOf(noted(...found, { ...knock, afterMs: 20 * MINUTE }))).toHaveLength(2)
    // Another app on the same computer, right after.
    expect(attemptsOf(noted(...connected, ...found))).toHaveLength(2)
    expect(attemptsOf(noted(...found, refusedWith('request', 'wrong_host')))).toHaveLength(2)
    // Metadata read once more right after the token belongs to the same try.
    expect(attemptsOf(noted(...tokened, { step: 'server-metadata' }))).toHaveLength(1)
  })

  test('[DOCTOR-PRIVATE] of two users with the same app are two, and each sees their own', () => {
    const shared = (userId: typeof ADA, address: string) => [
      { step: 'authorize', clientId: CLIENT, userId, address } as const,
      { step: 'consent', clientId: CLIENT, userId, address } as const,
    ]
    const attempts = attemptsOf(noted(...shared(ADA, HOME), ...shared(MIA, WEB)))
    expect(attempts.map(({ userIds }) => [...userIds])).toEqual([[ADA], [MIA]])
    const [ofAda, ofMia] = attempts as [(typeof attempts)[0], (typeof attempts)[0]]
    expect([sees(ofAda, ADA, WEB), sees(ofMia, ADA, WEB)]).toEqual([['authorize', 'consent'], undefined])
    // Somebody else's address does not make it theirs.
    expect(sees(ofAda, MIA, HOME)).toBeUndefined()
    const [unclaimed] = attemptsOf(noted(...found)) as [(typeof attempts)[0]]
    expect([sees(unclaimed, MIA, HOME)?.length, sees(unclaimed, MIA, WEB)]).toEqual([3, undefined])
  })

  test('[DOCTOR-PRIVATE] of a program elsewhere and a browser here are two, unless its registration or its user ties them', () => {
    const program = { clientId: CLIENT, address: WEB, profileName: 'merger' }
    const refused = { step: 'refresh', outcome: 'refused', ...program } as const
    const browser = { step: 'authorize', clientId: CLIENT, userId: ADA } as const
    const strangers = attemptsOf(noted(refused, browser))
    expect(strangers.map((attempt) => sees(attempt, ADA, HOME))).toEqual([undefined, ['authorize']])
    const unsigned = attemptsOf(noted(refused, { step: 'sign-in', outcome: 'waiting', clientId: CLIENT }, browser))
    expect(unsigned.map((attempt) => sees(attempt, ADA, HOME))).toEqual([undefined, ['sign-in', 'authorize']])
    // A code or token of hers is hers wherever it is shown; what else came from there may be anybody's.
    const tied = attemptsOf(noted(browser, { step: 'token', userId: ADA, ...program }, { ...knock, address: WEB, profileName: 'merger' }))
    expect(tied.map((attempt) => [attempt.entries.length, sees(attempt, ADA, HOME)])).toEqual([[3, ['authorize', 'token']]])
    const own = attemptsOf(noted({ ...knock, address: WEB }, { step: 'register', clientId: CLIENT, address: WEB }, browser))
    expect(own.map((attempt) => sees(attempt, ADA, HOME))).toEqual([['register', 'authorize']])
  })

  test('[DOCTOR-BOUND] are found in a full trace in no time, whoever filled it', () => {
    const at = (index: number) => ({ ...knock, address: `10.0.${index >> 8}.${index & 255}`, clientId: CLIENT, afterMs: 0 })
    const entries = noted(...Array.from({ length: 2_000 }, (_, index) => at(index)))
    const before = performance.now()
    expect(attemptsOf(entries)).toHaveLength(2_000)
    expect(performance.now() - before).toBeLessThan(1_000)
  })

  test('[DOCTOR-PRIVATE] of two browsers that were not signed in yet are two', () => {
    const waiting = (address: string) => ({ step: 'sign-in', outcome: 'waiting', clientId: CLIENT, address }) as const
    expect(attemptsOf(noted(waiting(HOME), waiting(WEB)))).toHaveLength(2)
  })

  test('[DOCTOR-WAY] that are nothing but served requests are none', () => {
    const [quiet, loud] = attemptsOf(noted({ step: 'request', clientId: CLIENT }, { ...knock, clientId: newClientId() }))
    expect([isQuiet(quiet!), isQuiet(loud!)]).toEqual([true, false])
  })
})

const FACTS: Facts = {
  ...{ state: 'stopped', name: 'Probe', origin: 'https://tools.example.org', reach: 'internet', reaches: undefined },
  ...{ hasUnknownProxy: false, selfCheck: undefined },
}
const refusedWith = (step: TraceNote['step'], reason: string, says?: string, detail: Record<string, string> = {}) => ({
  ...{ step, outcome: 'refused' as const, reason, ...(reason !== 'wrong_host' && { clientId: CLIENT }) },
  detail: { ...detail, ...(says && { says }) },
})

describe('the diagnosis', () => {
  const cases: readonly (readonly [what: string, notes: readonly Note[], facts: Partial<Facts>, problem: RegExp, fix: RegExp])[] = [
    [
      'a public address that is wrong behind the proxy',
      [refusedWith('request', 'wrong_host', undefined, { host: 'tools.example.net' })],
      {},
      /asked for tools\.example\.net/,
      /TOOLPASS_URL/,
    ],
    [
      'http where https is needed',
      found.map((note) => ({ ...note, origin: 'http://tools.example.org' })),
      {},
      /told to come to http:\/\/tools\.example\.org/,
      /https in front/,
    ],
    [
      'http for a client on the web',
      [],
      { reaches: 'internet', reach: 'this-network', origin: 'http://192.168.1.20' },
      /over https only/,
      /public https address/,
    ],
    [
      'an address that the web cannot reach',
      found,
      { reaches: 'internet', reach: 'this-network', origin: 'https://tools.lan' },
      /only your own network knows/,
      /public https address/,
    ],
    [
      'another origin than the page has',
      found.map((note) => ({ ...note, origin: 'https://other.example.org' })),
      {},
      /came to https:\/\/other\.example\.org/,
      /Paste the address/,
    ],
    [
      'plain http on a literal address',
      [refusedWith('request', 'plain_http', undefined, { host: '192.168.1.20:8080' })],
      {},
      /passwords in clear/,
      /TOOLPASS_INSECURE_HTTP/,
    ],
    ['a proxy that nobody told us of', [], { hasUnknownProxy: true }, /one address/, /TOOLPASS_TRUSTED_PROXIES/],
    ['a check of our own that failed', [], { selfCheck: 'failed' }, /did not find itself/, /rows of the check/],
    [
      'a redirect that is not registered',
      [...registered, refusedWith('authorize', 'invalid_request', 'redirect_uri is missing or not registered')],
      {},
      /did not register/,
      /sign out of this server/,
    ],
    [
      'a wrong resource',
      [...registered, refusedWith('authorize', 'invalid_target', 'resource is not served here')],
      {},
      /not served here/,
      /without a slash at the end/,
    ],
    [
      'a client that is not known any more',
      [refusedWith('authorize', 'invalid_client', 'unknown client_id')],
      {},
      /do not know the registration/,
      /add it again/,
    ],
    [
      'a client that is blocked',
      [refusedWith('authorize', 'unauthorized_client', 'this client is blocked here')],
      {},
      /blocked Probe/,
      /administrator/,
    ],
    [
      'a client that waits',
      [...registered, { step: 'authorize', outcome: 'waiting', reason: 'client_waits', clientId: CLIENT }],
      {},
      /has to approve/,
      /Registered apps/,
    ],
    [
      'a client that is not listed',
      [refusedWith('register', 'only clients that an administrator listed are let in here')],
      {},
      /not on the list/,
      /administrator/,
    ],
    [
      'a document that is refused',
      [refusedWith('document', 'its metadata document is larger than 5 KB')],
      {},
      /larger than 5 KB/,
      /way to the internet/,
    ],
    ['clocks that differ', [refusedWith('token', 'invalid_client', 'the assertion has expired: exp is in the past')], {}, /clocks/, /NTP/],
    ['a wrong secret', [refusedWith('token', 'invalid_client', 'client authentication failed')], {}, /did not prove who it is/, /secret/],
    [
      'a code that came late',
      [...allowed, refusedWith('token', 'invalid_grant', 'the code is unknown, used or expired')],
      {},
      /no longer good/,
      /start it again/,
    ],
    ['a refresh that is over', [refusedWith('refresh', 'invalid_grant')], {}, /could not renew/, /sign in/],
    ['the knock alone', [knock], {}, /did not look there/, /access token/],
    ['metadata and no more', found, {}, /went no further/, /Run the check/],
    ['registered and never sent', registered, {}, /never sent you/, /pop-up/],
    [
      'a sign-in page that nobody used',
      [...registered, { step: 'sign-in', outcome: 'waiting', clientId: CLIENT }],
      {},
      /nobody signed in/,
      /Start again/,
    ],
    ['a question that nobody answered', asked, {}, /not answered/, /Start again/],
    ['allowed, and no token fetched', allowed, {}, /never came for its token/, /another computer/],
    ['a token that is never used', tokened, {}, /never used it/, /Reload/],
    [
      'a token that is dropped on the way',
      [...tokened, { ...knock, clientId: CLIENT, userId: ADA }],
      {},
      /came without it/,
      /Authorization header/,
    ],
    [
      'a token of another profile',
      [{ ...refusedWith('request', 'wrong_resource', undefined, { 'made for': '/mcp/work' }), profileName: 'home' }],
      {},
      /for \/mcp\/work and came to \/mcp\/home/,
      /sign out/,
    ],
    [
      'a token of another host',
      [{ ...refusedWith('request', 'wrong_address', undefined, { 'made for': 'https://a.example' }), origin: 'https://tools.example.org' }],
      {},
      /signed in at https:\/\/a\.example/,
      /one address everywhere/,
    ],
    ['a pause', [refusedWith('request', 'paused')], {}, /You paused Probe/, /Resume/],
    ['a token that expired', [refusedWith('request', 'expired')], {}, /has expired/, /sign in/],
    ['no scope', [refusedWith('request', 'insufficient_scope')], {}, /reaches no tool/, /scope mcp/],
    ['a reason nobody thought of', [refusedWith('authorize', 'odd_reason')], {}, /odd reason/, /Start it again/],
  ]
  test.each(cases)('[DOCTOR-WHY] knows %s', (_, notes, facts, problem, fix) => {
    const [first] = diagnose(noted(...notes), { ...FACTS, ...facts })
    expect(first?.problem).toMatch(problem)
    expect(first?.fix).toMatch(fix)
  })

  test('[DOCTOR-WHY] says nothing of an app that is connected, and whose turn it is while one waits', () => {
    expect(diagnose(noted(...connected), { ...FACTS, state: 'connected', hasUnknownProxy: true })).toEqual([])
    expect(diagnose(noted(...asked), { ...FACTS, state: 'waiting' })).toMatchObject([{ problem: expect.stringContaining('your turn') }])
    expect(diagnose(noted(...found), { ...FACTS, state: 'waiting' })).toEqual([])
  })
})

describe('the trace', () => {
  test('[DOCTOR-BOUND] counts repetitions, and lets no address push the others out', () => {
    const trace = createTrace({ clock: () => 1 })
    trace.note({ step: 'server-metadata', outcome: 'ok', address: HOME })
    for (let at = 0; at < 500; at += 1) trace.note({ ...knock, address: WEB })
    expect(trace.since(0)).toMatchObject([{ address: HOME }, { address: WEB, times: 500 }])
    for (let at = 0; at < 5_000; at += 1) trace.note({ ...knock, address: WEB, profileName: `p${at}` })
    expect(trace.since(0).filter(({ address }) => address === WEB).length).toBeLessThanOrEqual(200)
    for (let at = 0; at < 5_000; at += 1) trace.note({ ...knock, address: `2001:db8:0:7::${at.toString(16)}` })
    expect([trace.since(0)[0]?.address, trace.since(0).length]).toEqual([HOME, 401])
    for (let at = 0; at < 5_000; at += 1) trace.note({ ...knock, address: `10.0.${at >> 8}.${at & 255}` })
    expect(trace.since(0)).toHaveLength(2_000)
  })

  test('[DOCTOR-NO-SECRET] blots out what looks like a secret, should one come', () => {
    const trace = createTrace({ clock: () => 1 })
    const secret = `tpa_${'s'.repeat(43)}`
    const detail = { url: `https://a.example/cb?code=${secret}#x`, plain: secret }
    trace.note({ ...knock, address: HOME, reason: `bad ${secret}\nline`, profileName: secret, clientName: secret, detail })
    expect(JSON.stringify(trace.since(0))).not.toContain('sss')
    expect(trace.since(0)[0]?.detail).toEqual({ url: 'https://a.example/cb', plain: '…' })
  })
})

describe('the door', () => {
  test('[DOCTOR-401] knows why a token was turned away', async () => {
    const house = await openHouse()
    try {
      const { user, cookie } = await house.signIn('ada')
      const { client_id: clientId } = await house.newClient()
      const redeemed = await house.redeem(clientId, await house.obtainCode(clientId, cookie))
      const { access_token: access, refresh_token: refresh } = (await redeemed.json()) as Tokens
      const why = async (bearer: string) => (await house.oauth.explain(bearer)).reason
      expect([await why('sk-of-someone-else'), await why(`tpa_${'x'.repeat(43)}`), await why(refresh)]).toEqual([
        'foreign_token',
        'unknown_token',
        'refresh_token_as_bearer',
      ])
      house.time.now += 2 * 60 * MINUTE
      expect(await house.oauth.explain(access)).toMatchObject({ reason: 'expired', userId: user.id })
      const [grant] = await house.grants.listForUser(user.id)
      await house.grants.revoke(user, grant!.id)
      expect(await why(access)).toBe('revoked')
      expect(await told(house.refresh(clientId, refresh))).toEqual([400, 'invalid_grant'])
    } finally {
      await house.close()
    }
  })

  test('[DOCTOR-FREE] looks up and makes nothing for a request like the one before', () => {
    const notes: TraceNote[] = []
    const doorbell = createDoorbell({ trace: { note: (note) => void notes.push(note) }, clock: Date.now })
    const request = new Request('http://localhost/mcp/work', { headers: { host: 'localhost' } })
    const addresses = { base: '', originOf: () => 'http://localhost' }
    createFront({ addresses, trustedProxies: [] }).admit(request, HOME)
    const grant = { id: newGrantId(), clientId: CLIENT, userId: ADA } as Grant
    const look = (times: number) => {
      let news = 0
      for (let at = 0; at < times; at += 1) if (doorbell.isNews(grant.id, HOME)) news += 1
      return news
    }
    expect(look(1)).toBe(1)
    doorbell.served(request, 'work', grant)
    look(100_000)
    Bun.gc(true)
    const before = heapStats().objectCount
    expect(look(1_000_000)).toBe(0)
    expect(heapStats().objectCount - before).toBeLessThan(100)
    // Once it was turned away from there, that it works again is news, once.
    doorbell.refused(request, 'work', { reason: 'expired' })
    expect(look(1)).toBe(1)
    doorbell.served(request, 'work', grant)
    expect(look(1)).toBe(0)
    expect(notes.map(({ outcome }) => outcome)).toEqual(['ok', 'refused', 'ok'])
  })
})
