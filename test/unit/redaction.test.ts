/** What is taken out of arguments, results and rows before they are written, and what is left as it was. */
import { describe, expect, test } from 'bun:test'
import { rules } from '@secretlint/secretlint-rule-preset-recommend'
import { lint, LINTED } from '@/audit/redaction/linting.ts'
import { HINTS } from '@/audit/redaction/patterns.ts'
import { redactedCut, redactedText } from '@/audit/redaction/redacting.ts'
import { shortened } from '@/audit/redaction/shortening.ts'

/** As contents become text, with secrets taken out and whole. */
const redactedJson = (value: unknown, max: number) => redactedCut(shortened(value, max, true), max)
const wholeJson = (value: unknown, max: number) => JSON.stringify(shortened(value, max, false))

/** Letters and digits that stay the same from run to run, in no order. */
const letters = (count: number, from = 'aZ4kQ9wXb7LmT2cVn8RdY3sJ6fHgP5tE1uKzB0xWyC') =>
  Array.from({ length: count }, (_, at) => from[(at * 17 + count) % from.length]).join('')
const hex = (count: number) => letters(count, '0a9f3c7b1e5d8246')
/** Of ASN.1, as secretlint asks for. */
const pem = (kind = '') => `-----BEGIN ${kind}PRIVATE KEY-----\nMII${letters(61)}\n${letters(64)}\n-----END ${kind}PRIVATE KEY-----`
const onePassword = () =>
  `ops_${Buffer.from(JSON.stringify({ signInAddress: 'x.example', email: letters(40), key: letters(62) })).toString('base64')}`

/** For each rule of the preset what it is for, as it looks. None of them is anybody's. */
const BY_RULE: Readonly<Record<string, readonly [secret: string, around?: (secret: string) => string][]>> = {
  aws: [
    [letters(40), (key) => `aws_secret_access_key = ${key}`],
    [letters(40), (key) => `"SecretAccessKey": "${key}"`],
  ],
  gcp: [[pem(), (key) => JSON.stringify({ type: 'service_account', private_key_id: 'x', private_key: key })]],
  npm: [
    [`npm_${letters(36)}`],
    [letters(40), (token) => `//registry.example/:_authToken=${token}`],
    [letters(20), (t) => `https://${t}:x-oauth-basic@github.com/a/b`],
  ],
  slack: [
    [`xoxb-${letters(11)}-${letters(12)}-${letters(24)}`],
    [`xapp-1-${letters(10)}-${letters(12)}-${hex(24)}`],
    [`https://hooks.slack.com/services/T${letters(8)}/B${letters(8)}/${letters(24)}`],
  ],
  basicauth: [[letters(12), (password) => `see https://robot:${password}@git.example.com/x`]],
  openai: [[`sk-proj-${letters(74)}T3BlbkFJ${letters(74)}`], [`sk-${letters(20)}T3BlbkFJ${letters(20)}`]],
  anthropic: [[`sk-ant-api03-${letters(93)}AA`]],
  groq: [[`gsk_${letters(52)}`]],
  huggingface: [[`hf_${letters(34, 'aZkQwXbLmTcVnRdYsJfHgPtEuKzBxWyC')}`]],
  linear: [[`lin_api_${letters(40)}`]],
  notion: [[`ntn_${letters(11, '0192837465')}${letters(35)}`]],
  privatekey: [[pem('RSA ')], [pem('EC ')], [pem()]],
  sendgrid: [[`SG.${letters(22)}.${letters(43)}`]],
  shopify: [[`shpat_${letters(32)}`], [`shpss_${letters(32)}`]],
  stripe: [[`sk_live_${letters(24)}`], [`rk_test_${letters(24)}`]],
  github: [[`ghp_${letters(36)}`], [`ghs_${letters(36)}`], [`github_pat_${letters(82)}`]],
  gitlab: [[`glpat-${letters(20)}`]],
  grafana: [[`glc_${letters(60)}`], [`glsa_${letters(32)}_${hex(8)}`]],
  '1password': [[onePassword()]],
  'database-connection-string': [
    [letters(14), (word) => `mongodb+srv://app:${word}@cluster.example.net/db`],
    [letters(14), (word) => `jdbc:mysql://app:${word}@db.internal.example:3306/x`],
    [letters(14), (word) => `postgresql://app:${word}@db.internal.example/x`],
  ],
  'hashicorp-vault': [[`hvs.${letters(95)}`], [`hvb.${letters(140)}`]],
  vercel: [[`vcp_${letters(24)}`]],
  databricks: [[`dapi${hex(32)}`]],
  docker: [[`dckr_pat_${letters(27)}`]],
  figma: [[`figd_${letters(40)}`]],
  cloudflare: [[`cfut_${letters(40)}${hex(8)}`]],
  tailscale: [[`tskey-auth-${letters(17)}-${letters(32)}`]],
}
const ruleNames = rules.map(({ meta }) => meta.id.replace('@secretlint/secretlint-rule-', ''))

describe('the rules of secretlint', () => {
  test('each have an example here, but the one that switches others off', () => {
    expect(ruleNames.filter((name) => !(name in BY_RULE))).toEqual(['filter-comments'])
    expect(Object.keys(BY_RULE).filter((name) => !ruleNames.includes(name))).toEqual([])
  })
  for (const [name, examples] of Object.entries(BY_RULE))
    test(`find what ${name} is for, and the cheap look lets it through`, async () => {
      for (const [secret, around = (text: string) => `here it is: ${text} (keep it)`] of examples) {
        const text = around(secret)
        // What the rule itself would find is a secret that the cheap look must never keep from it, as text and inside JSON, escaped.
        // Two rules go by the name of a file, which there is none of here: what they are for is found by our own patterns.
        if (name !== 'gcp' && !text.includes('_authToken')) expect([name, (await lint(text)).length > 0]).toEqual([name, true])
        for (const shape of [
          text,
          JSON.stringify({ text }),
          JSON.stringify({ text: `\n${text}\n` }),
          JSON.stringify({ text: JSON.stringify({ text }) }),
        ])
          expect([shape, LINTED.test(shape)]).toEqual([shape, true])
        for (const value of [
          { text },
          { content: [{ type: 'text', text: `first\n${text}\nlast` }] },
          { [text]: 1 },
          { a: JSON.stringify({ b: text }) },
        ]) {
          const kept = await redactedJson(value, 100_000)
          expect([kept, kept.includes(secret.split('\n')[1] ?? secret)]).toEqual([kept, false])
          expect(kept).toContain('[redacted: ')
        }
        expect(await redactedText(text)).not.toContain(secret)
      }
    })
  test('are not switched off by a remark in the text', async () => {
    const token = `ghp_${letters(36)}`
    expect(await redactedJson({ text: `secretlint-disable\n${token}\n` }, 1_000)).not.toContain(token)
    expect(await redactedJson({ text: `// secretlint-disable-line\n${token} // secretlint-disable-line` }, 1_000)).not.toContain(token)
  })
})

const CANARY = 'canary-9f3Kx7'

describe('own rules', () => {
  test.each([
    ['a bearer value', `Authorization: Bearer ${CANARY}`],
    ['a scheme alone', `curl -H 'x: y' with bearer ${CANARY}.abc`],
    ['a basic value', `basic ${Buffer.from(`ada:${CANARY}`).toString('base64')}`],
    ['a cookie', `Cookie: session=${CANARY}; other=1`],
    ['a set cookie', `set-cookie: __Host-session=${CANARY}; Path=/`],
    ['a setting', `export GITHUB_TOKEN=${CANARY}`],
    ['a password in words', `The password: ${CANARY}`],
    ['JSON in a text', `{"apiKey": "${CANARY}", "x": 1}`],
    ['JSON in a text that is broken off', `{"client_secret": "${CANARY} and more", "x": `],
    ['JSON twice escaped', `log: "{\\"refresh_token\\":\\"${CANARY}\\"}"`],
    ['YAML', `db:\n  passwd: '${CANARY} with spaces'\n`],
    ['userinfo', `https://ada:${CANARY}@example.com/`],
    ['a token as userinfo', `https://${CANARY}@example.com/`],
    ['a query', `https://example.com/feed?x=1&token=${CANARY}`],
    ['a signature', `https://b.example.com/o?X-Amz-Signature=${CANARY}&x=2`],
    ['a key in a query', `https://maps.example.com/?key=${CANARY}`],
    ['a token of ours', `tpa_${CANARY}${letters(20)}`],
    ['a set-up link', `http://localhost:8080/setup?token=${CANARY}`],
    ['a private key that was cut', `-----BEGIN OPENSSH PRIVATE KEY-----\n${CANARY}`],
    ['an argument of a program', `deploy --db-password "${CANARY}" --verbose`],
    ['a user and a password of curl', `curl -u ada:${CANARY} https://example.com`],
    ['an element of XML', `<db:password type="x">${CANARY}</db:password>`],
    ['a password in Markdown', `**Password:** ${CANARY}`],
    ['a token with two parts', `eyJhbGciOiJIUzI1NiJ9.eyJ${CANARY.replaceAll('-', '')}9.${CANARY}`],
  ])('%s', async (_, text) => {
    expect(HINTS.test(JSON.stringify(text))).toBe(true)
    const whole = [
      await redactedText(text),
      await redactedJson({ text }, 1_000),
      await redactedJson([[text]], 1_000),
      await redactedJson({ [text]: 1 }, 1_000),
    ]
    for (const each of whole) {
      expect(each).not.toContain(CANARY)
      expect(each).not.toContain(Buffer.from(`ada:${CANARY}`).toString('base64'))
      expect(each).toContain('[redacted: ')
    }
  })
  test.each([
    ['password'],
    ['apiKey'],
    ['api_key'],
    ['X-API-Key'],
    ['access_token'],
    ['clientSecret'],
    ['AWS_SECRET_ACCESS_KEY'],
    ['authorization'],
    ['Set-Cookie'],
    ['auth'],
    ['dbPassword'],
  ])('what stands under %s, whatever it looks like', async (key) => {
    const values = { [key]: CANARY, list: [{ [key]: [CANARY] }], deep: { [key]: CANARY, kept: 'kept' } }
    const kept = await redactedJson(values, 1_000)
    expect(kept).not.toContain(CANARY)
    expect(kept.match(/\[redacted: secret\]/g)).toHaveLength(3)
    expect(kept).toContain('"kept":"kept"')
    expect(await redactedJson({ content: [{ type: 'text', text: JSON.stringify(values) }] }, 1_000)).not.toContain(CANARY)
  })
  test.each([
    [
      'a value beside the name of it',
      { headers: [{ name: 'Authorization', value: CANARY }], env: [{ key: 'DB_PASSWORD', value: CANARY }] },
    ],
    ['a value below the name of it', { password: { value: CANARY } }],
    ['arguments of a program', { args: ['--token', CANARY, '--verbose'] }],
    ['pairs', { headers: [['X-API-Key', CANARY]] }],
    ['names that say a little more', { private_key_pem: CANARY, secretValue: CANARY, mnemonic: CANARY, recoveryCodes: [CANARY] }],
  ])('%s', async (_, value) => {
    expect(HINTS.test(JSON.stringify(value))).toBe(true)
    expect(await redactedJson(value, 1_000)).not.toContain(CANARY)
    expect(await redactedJson({ text: JSON.stringify(value) }, 1_000)).not.toContain(CANARY)
  })
  test('names and values that say nothing of a secret stay', async () => {
    const value = {
      fields: [{ name: 'Title', value: 'kept' }],
      args: ['--port', '8080', '--max-tokens', '4096'],
      page: [{ key: 'next_page_token', value: 'kept' }],
      pair: ['from', 'to'],
    }
    expect(await redactedJson(value, 1_000)).toBe(JSON.stringify(value))
  })
  test('all that stands under what holds nothing but secrets, and numbers where they are the secret', async () => {
    const kept = await redactedJson(
      { credentials: { user: CANARY, more: [{ x: CANARY }] }, pin: 4711, token: { kind: 'kept' }, tokens: 12 },
      1_000,
    )
    expect(kept).toBe(
      '{"credentials":{"user":"[redacted: secret]","more":[{"x":"[redacted: secret]"}]},"pin":"[redacted: secret]","token":{"kind":"kept"},"tokens":12}',
    )
  })
  test.each([
    ['an address of mail', 'write to ada.lovelace+x@mail.example.co.uk please'],
    ['one with letters of elsewhere', 'jürgen@bücher.example'],
    ['a phone number', 'call +49 30 901820-0 or (555) 123-4567 now'],
    ['an account', 'to DE89 3704 0044 0532 0130 00'],
    ['an account in one', 'GB82WEST12345698765432'],
    ['a card', 'card 4111 1111 1111 1111, valid'],
    ['a card in one', '5500005555555559'],
  ])('personal data: %s', async (_, text) => {
    expect(HINTS.test(JSON.stringify(text))).toBe(true)
    const kept = await redactedText(text)
    expect(kept).toContain('[redacted: ')
    expect(kept).not.toMatch(/lovelace|jürgen|901820|4567|0532|9876|1111|5555/)
    // An act is about people: who it was has to be there.
    if (text.includes('@')) expect(await redactedText(text, true)).toBe(text)
  })
  test('a card as a number', async () => {
    expect(await redactedJson({ a: 4_111_111_111_111_111 }, 1_000)).toBe('{"a":"[redacted: secret]"}')
  })
  test.each([
    ['The weather in Berlin is fine, 21 degrees.'],
    ['Basic understanding of the bearer of this letter.'],
    ['order 1234567890123, shipped 2026-11-29T17:05:25Z'],
    ['next_page_token=CAUQAA and max_tokens=4096'],
    ['files/tokens.ts:12 keeps the keyboard passive'],
    ['0.1234567890123456 of 3.14159'],
    ['3f2504e0-4f89-11d3-9a0c-0305e82c3301'],
    ['version 1.2.3+build.7, commit 09be2fa'],
  ])('leave alone: %s', async (text) => {
    expect(await redactedText(text)).toBe(text)
    expect(await redactedJson({ nextPageToken: 'CAUQAA', max_tokens: 5, text }, 1_000)).toBe(
      JSON.stringify({ nextPageToken: 'CAUQAA', max_tokens: 5, text }),
    )
  })
})

describe('what is kept', () => {
  test('is no longer than it may be, and says what was left out', () => {
    const long = {
      text: 'word '.repeat(10_000),
      list: Array.from({ length: 10_000 }, (_, at) => at),
      ...Object.fromEntries(many(1_000).map((at) => [`k${at}`, at])),
    }
    for (const max of [50, 1_000, 32_768])
      for (const text of [wholeJson(long, max), wholeJson([long, long], max), wholeJson(long.list, max), wholeJson(long.text, max)]) {
        expect(text.length).toBeLessThan(max * 1.5 + 200)
        expect(text).toContain('[cut: ')
        JSON.parse(text)
      }
    expect(wholeJson({ a: [1, 'x', null, true, { b: 2 }] }, 1_000)).toBe('{"a":[1,"x",null,true,{"b":2}]}')
  })
  test('ends before a secret that the end would have cut in two', async () => {
    const token = `ghp_${letters(36)}`
    for (let before = 900; before < 1_000; before += 7) {
      const kept = await redactedJson({ text: `${'x '.repeat(before / 2)}${token}` }, 1_000)
      expect(kept).not.toContain(token.slice(0, 12))
    }
  })
  test('has the size of an image, a recording, a file in place of it', () => {
    const data = Buffer.alloc(9_000, 7).toString('base64')
    const content = [
      { type: 'image', data, mimeType: 'image/png' },
      { type: 'resource', resource: { uri: 'a:b', blob: data } },
      { type: 'text', text: data },
    ]
    for (const text of [wholeJson({ content }, 10_000), wholeJson({ url: `data:image/png;base64,${data}` }, 10_000)]) {
      expect(text.length).toBeLessThan(400)
      expect(text).toMatch(/9000 bytes of image\/png/)
    }
  })
  test('is bounded in depth', () => {
    let deep: unknown = 'end'
    for (let at = 0; at < 5_000; at += 1) deep = { a: deep }
    expect(JSON.stringify(shortened(deep, 1_000_000, true)).length).toBeLessThan(2_000)
  })
  test('takes time in proportion to its length, whatever it consists of', async () => {
    const hostile = [
      'a',
      '@',
      'a@',
      'a.',
      'token',
      'password=',
      '"',
      '\\"',
      '\\',
      'ey',
      'eyJ.',
      '://',
      '1 ',
      '+1 ',
      'AB12',
      '-----BEGIN PRIVATE KEY-----',
      '?a=',
      'basic ',
      '=',
      '{',
      'sk-ant-',
      'a:b@',
      'x_'.repeat(9),
    ]
    for (const piece of hostile) {
      const text = piece.repeat(32_000 / piece.length)
      const began = performance.now()
      await redactedText(text)
      await redactedJson({ text: `${text} ` }, 32_768)
      expect([piece, performance.now() - began < 500]).toEqual([piece, true])
    }
  })
  const QUICK_MS = 20
  /** The best of some: what it costs, and not what else the machine did. */
  const quickest = async (work: () => unknown): Promise<number> => {
    const times: number[] = []
    for (let at = 0; at < 5; at += 1) {
      const began = performance.now()
      await work()
      times.push(performance.now() - began)
    }
    return Math.min(...times)
  }
  test.each([
    ['a word that the end cuts', { text: '"'.repeat(40_000) }, QUICK_MS],
    ['words as long as the name of an address may be', { text: `${'a'.repeat(64)}@`.repeat(600) }, QUICK_MS],
    ['names that become one', Object.fromEntries(many(3_000).map((at) => [`${at}@a.bc`, 1])), QUICK_MS],
    ['beginnings of a JWT, each of which could go on', { text: '-eyJaaaaaaaaa'.repeat(3_000) }, QUICK_MS],
    // The rules themselves take their time over a thousand findings; what is done with them must not take more.
    ['the same secret over and over', { text: 'ghs_1_a.'.repeat(4_000) }, 4 * QUICK_MS],
    ['secrets among many short texts', { a: many(300).map(() => `npm_${letters(36)}`), b: many(3_000).map((at) => `${at}`) }, QUICK_MS],
    ['a long name before many values', { ['npm_ '.repeat(1_600)]: many(3_000).map(() => 'a') }, QUICK_MS],
  ])('holds nobody up over %s', async (_, value, ms) => {
    await redactedJson({ text: `npm_${letters(36)}` }, 32_768)
    expect(await quickest(() => redactedJson(value, 32_768))).toBeLessThan(ms)
  })
  test.each(['a', 'token=', '-eyJaaaaaaaaa', 'npm_ '])(
    'names are cut as texts are: of %s over megabytes not much is kept',
    async (piece) => {
      const name = piece.repeat(4_000_000 / piece.length)
      const began = performance.now()
      const kept = await redactedJson({ [name]: 'first', [`${name}2`]: 'second' }, 16_384)
      expect(performance.now() - began).toBeLessThan(2_000)
      expect(kept.length).toBeLessThan(2_000)
      const nested = await redactedJson({ content: [{ type: 'image', data: 'AAAA', mimeType: name }] }, 16_384)
      expect(nested.length).toBeLessThan(17_000)
      expect(wholeJson({ [name]: 1 }, 16_384).length).toBeLessThan(2_000)
    },
  )
  test('long names that begin alike keep their values, and none of a name that is a secret is left', async () => {
    const name = 'word '.repeat(100)
    const kept = await redactedJson(
      { [`${name}1`]: 'first', [`${name}2`]: 'second', [`${'x'.repeat(250)}eyJ${letters(400)}`]: 'third' },
      16_384,
    )
    for (const value of ['first', 'second', 'third']) expect(kept).toContain(value)
    expect(kept).not.toContain('eyJ')
  })
})
const many = (count: number) => Array.from({ length: count }, (_, at) => at)
