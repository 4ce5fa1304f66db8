import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { matchesRedirect } from '@/clients'
import { redirectKind, redirectProblem } from '@/clients/redirects.ts'

const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/)
const path = fc.stringMatching(/^(\/[A-Za-z0-9._~%-]{0,6}){0,3}(\?[a-z]=[a-z0-9]{0,4})?$/)
const port = fc.integer({ min: 1, max: 65_535 })
const web = fc.tuple(label, path).map(([name, rest]) => `https://${name}.example${rest}`)
const loopbackHost = fc.constantFrom('127.0.0.1', '[::1]', 'localhost')
const loopback = fc
  .tuple(loopbackHost, fc.option(port), path)
  .map(([host, number, rest]) => `http://${host}${number === null ? '' : `:${number}`}${rest}`)
const scheme = fc.tuple(label, path).map(([name, rest]) => `app.${name}://callback${rest}`)
const registrable = fc.oneof(web, loopback, scheme).filter((uri) => redirectProblem(uri) === undefined)
const withoutPort = (uri: string) => uri.replace(/^(http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost)):\d{1,5}(?=[/?]|$)/, '$1')

describe('whatever was registered', () => {
  test('[REDIRECT-EXACT] matches itself', () =>
    fc.assert(
      fc.property(fc.array(registrable, { minLength: 1, maxLength: 5 }), (uris) => uris.every((uri) => matchesRedirect(uris, uri))),
    ))

  test('[REDIRECT-EXACT] does not match what differs in one character, unless that is in a loopback port', () =>
    fc.assert(
      fc.property(
        registrable,
        fc.nat(),
        fc.constantFrom('insert', 'replace', 'remove'),
        fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 }),
        (uri, where, how, character) => {
          const at = where % (uri.length + (how === 'insert' ? 1 : 0))
          const changed = uri.slice(0, at) + (how === 'remove' ? '' : character) + uri.slice(how === 'insert' ? at : at + 1)
          fc.pre(changed !== uri)
          const onlyPort = redirectKind(uri) === 'loopback' && withoutPort(changed) === withoutPort(uri)
          return onlyPort || !matchesRedirect([uri], changed)
        },
      ),
      { numRuns: 5_000 },
    ))

  test('[REDIRECT-EXACT] matches with any other port on loopback, and on loopback alone', () =>
    fc.assert(
      fc.property(loopbackHost, fc.option(port), port, path, label, (host, registered, asked, rest, name) => {
        const own = registered === null ? '' : `:${registered}`
        const isLoopback = matchesRedirect([`http://${host}${own}${rest}`], `http://${host}:${asked}${rest}`)
        const elsewhere = `https://${name}.example`
        return isLoopback && !matchesRedirect([`${elsewhere}${rest}`], `${elsewhere}:${asked}${rest}`)
      }),
    ))

  test('[REDIRECT-EXACT] one loopback host is not the other', () =>
    fc.assert(
      fc.property(loopbackHost, loopbackHost, port, path, (one, other, number, rest) => {
        fc.pre(one !== other)
        return !matchesRedirect([`http://${one}${rest}`], `http://${other}:${number}${rest}`)
      }),
    ))
})

test('[REDIRECT-EXACT] no text throws, and none that may not be registered matches anything else', () =>
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string({ unit: 'binary' }), registrable)), fc.string({ unit: 'binary' }), (uris, asked) => {
      redirectProblem(asked)
      redirectKind(asked)
      return matchesRedirect(uris, asked) === uris.includes(asked)
    }),
    { numRuns: 2_000 },
  ))

test.each([
  ...['http://127.0.0.1:65536/callback', 'http://127.0.0.1:/callback', 'http://127.0.0.1:0x50/callback', 'http://127.0.0.1:80:80/callback'],
  ...['http://127.0.0.1.evil.example/callback', 'http://127.0.0.1@evil.example/callback', 'http://127.0.0.1:1@evil.example/callback'],
  ...['http://127.0.0.1:7777/callback#x', 'http://127.1/callback', 'http://LOCALHOST/callback', 'https://127.0.0.1/callback'],
  ...['http://127.0.0.1:7777\\@evil.example/callback', 'http://127.0.0.1:7777/callback\n', ' http://127.0.0.1/callback'],
])('[REDIRECT-EXACT] %p is not the registered loopback address', (asked) => {
  expect(matchesRedirect(['http://127.0.0.1/callback'], asked)).toBe(false)
})
