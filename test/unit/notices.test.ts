/** How notices are written for those who carry them. */
import { createECDH } from 'node:crypto'
import { expect, test } from 'bun:test'
import ece from 'http_ece'
import { createDelivery, type Sent } from '@/notices/delivery.ts'
import { outgoing } from '@/notices/message.ts'
import { padded, readPush, sealedFor, vapidFrom } from '@/notices/ways/push.ts'
import { readNtfy, toNtfy } from '@/notices/ways/ntfy.ts'
import type { NoticeWayId, UserId } from '@/lib/ids.ts'
import { eventually } from '../support/outside.ts'

test('[NOTICE-WAYS] what is pushed is sealed as in the example of RFC 8291, Appendix A', () => {
  const key = {
    p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
    auth: 'BTBZMqHH6r4Tts7J_aSIgg',
  }
  const once = {
    privateKey: Buffer.from('yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw', 'base64url'),
    salt: Buffer.from('DGv6ra1nlYgDCS1FRnbzlw', 'base64url'),
  }
  const plain = Buffer.concat([Buffer.from('When I grow up, I want to be a watermelon'), Buffer.from([2])])
  expect(sealedFor(key, plain, once).toString('base64url')).toBe(
    'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN',
  )
})

test('[NOTICE-WAYS] a browser opens it, whatever its length, and short texts are as long as others to who carries them', () => {
  const browser = createECDH('prime256v1')
  browser.generateKeys()
  const key = { p256dh: browser.getPublicKey().toString('base64url'), auth: Buffer.alloc(16, 7).toString('base64url') }
  const lengths = ['', 'a', 'ü'.repeat(300), 'x'.repeat(1_500)].map((text) => {
    const body = sealedFor(key, padded(text))
    expect(ece.decrypt(body, { version: 'aes128gcm', privateKey: browser, authSecret: key.auth }).toString('utf8')).toBe(text)
    return body.length
  })
  expect(new Set(lengths.slice(0, 3)).size).toBe(1)
})

test('[NOTICE-WAYS] the key of the house is the same after each start, and another in another house', () => {
  const one = vapidFrom(Buffer.alloc(32, 1))
  expect(vapidFrom(Buffer.alloc(32, 1))).toEqual(one)
  expect(vapidFrom(Buffer.alloc(32, 2)).publicKey).not.toBe(one.publicKey)
  expect(Buffer.from(one.publicKey, 'base64url')).toHaveLength(65)
})

test.each([
  ['plain http', { endpoint: 'http://push.example/1' }],
  ['an address with a password', { endpoint: 'https://a:b@push.example/1' }],
  ['a point that is on no curve', { p256dh: Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 1)]).toString('base64url') }],
  ['a short secret', { auth: 'AAAA' }],
])('[NOTICE-WAYS] a subscription with %s is refused', (_, wrong) => {
  const browser = createECDH('prime256v1')
  browser.generateKeys()
  const right = {
    endpoint: 'https://push.example/1',
    p256dh: browser.getPublicKey().toString('base64url'),
    auth: Buffer.alloc(16).toString('base64url'),
  }
  expect(readPush(right).endpoint).toBe('https://push.example/1')
  expect(() => readPush({ ...right, ...wrong })).toThrow()
})

test('[NOTICE-WAYS] names of others stay one short line of plain text, and links stay ours', () => {
  const message = { title: `evil\u202E\n${'x'.repeat(500)}`, text: 'a\u0000b\u200Bc', path: '/approvals/apr_1' }
  const { title, text, link } = outgoing('msg_1', 'approvals', message, 'https://tools.example.org', 0)
  expect([...title].length).toBe(120)
  expect(`${title}${text}`).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  expect(link).toBe('https://tools.example.org/approvals/apr_1')
  const { body } = toNtfy(readNtfy({ server: '', topic: 'tp', token: '' }), outgoing('m', 'approvals', message, 'https://t.example', 0))
  expect(JSON.parse(body as string)).toMatchObject({ topic: 'tp', priority: 3, tags: ['lock'] })
})

const [USER, WAY] = ['usr_1' as UserId, 'ntw_1' as NoticeWayId]
const silent = { error: () => undefined }

test('[NOTICE-QUIET] what fails is tried again after pauses, as often as there are pauses, and what is refused for good is not', async () => {
  const delivery = createDelivery({ log: silent, pausesMs: [5, 10] })
  const tried: string[] = []
  const job = (name: string, sent: Sent) => ({
    wayId: WAY,
    userId: USER,
    send: async () => (tried.push(name), sent),
    over: async () => undefined,
  })
  delivery.add(job('again', { ok: false, problem: 'down', again: true }))
  delivery.add(job('never', { ok: false, problem: 'no', again: false }))
  delivery.add(job('once', { ok: true }))
  expect(await eventually(() => tried.length === 5)).toBe(true)
  await Bun.sleep(50)
  expect(tried.toSorted()).toEqual(['again', 'again', 'again', 'never', 'once'])
})

test('[NOTICE-QUIET] one user’s notices are bounded, and leave others their place', async () => {
  const delivery = createDelivery({ log: silent, pausesMs: [] })
  const { promise, resolve } = Promise.withResolvers<Sent>()
  const job = (userId: UserId) => ({ wayId: WAY, userId, send: () => promise, over: async () => undefined })
  expect(Array.from({ length: 60 }, () => delivery.add(job(USER))).filter(Boolean).length).toBe(40)
  expect(delivery.add(job('usr_2' as UserId))).toBe(true)
  resolve({ ok: true })
  expect(await eventually(() => delivery.add(job(USER)))).toBe(true)
  delivery.close()
  expect(delivery.add(job(USER))).toBe(false)
})
