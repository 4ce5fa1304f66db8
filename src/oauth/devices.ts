/** Devices without a browser: they show a code, a person types it elsewhere (RFC 8628). */
import { and, eq, gt, isNull } from 'drizzle-orm'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { type Client, OAuthProblem } from '@/clients'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '@/lib/clock.ts'
import { randomSecret, sha256 } from '@/lib/crypto.ts'
import { Failure } from '@/lib/failure.ts'
import type { GrantId, UserId } from '@/lib/ids.ts'
import { deviceCodes, type Writer } from '@/store'
import type { Asking, Authenticate } from './client-auth.ts'
import type { Deps } from './needs.ts'
import { ALL_SCOPES, type Parameters, parametersOf, scopeOf } from './parameters.ts'
import { issuerOf, resourceAddress, resourceOf } from './places.ts'
import { createTokens, demandLiveGrant, invalidGrant, mayStay, type TokenAnswer } from './tokens.ts'

export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'
const DEVICE_MS = 10 * MINUTE_MS
const INTERVAL_SECONDS = 5
/** No vowels, so that no word appears; nothing that is taken for another letter (RFC 8628 §6.1). */
const ALPHABET = 'BCDFGHJKLMNPQRSTVWXZ'
const CODE_LENGTH = 8
/** 20^8 codes, a handful of them waiting: with so many guesses an hour nobody meets one. */
const GUESSES_MAX = 20
/** A client polls; a thousand devices that nobody answers are no clients. */
const WAITING_MAX = 50

export type WaitingDevice = typeof deviceCodes.$inferSelect

export function newUserCode(): string {
  let code = ''
  // Bytes beyond the largest multiple of the alphabet are left out, or its first letters would come more often.
  while (code.length < CODE_LENGTH)
    for (const byte of crypto.getRandomValues(new Uint8Array(CODE_LENGTH)))
      if (byte < 240 && code.length < CODE_LENGTH) code += ALPHABET[byte % ALPHABET.length]
  return code
}
/** As people type: any case, with or without the dash, spaces anywhere. */
export const plainUserCode = (typed: string): string => typed.toUpperCase().replace(/[^A-Z]/g, '')
const shown = (code: string) => `${code.slice(0, 4)}-${code.slice(4)}`

export function createDevices(deps: Deps, authenticate: Authenticate) {
  return { ...createAsking(deps, authenticate), ...createDeciding(deps), poll: createPolling(deps) }
}

function createAsking({ store, clock, trace }: Deps, authenticate: Authenticate) {
  return {
    /** RFC 8628 §3.1. @throws OAuthProblem */
    async beginDevice(asking: Asking): Promise<Record<string, string | number>> {
      const { form, house, address } = asking
      const asked = parametersOf(form)
      if (asked.doubled.size > 0)
        throw new OAuthProblem(asked.doubled.has('resource') ? 'invalid_target' : 'invalid_request', 'a parameter came twice')
      const client = await authenticate(asking, asked)
      const scope = scopeOf(asked.get('scope') ?? ALL_SCOPES)
      if (scope === undefined) throw new OAuthProblem('invalid_scope', `the scopes are ${ALL_SCOPES}`)
      const named = asked.get('resource')
      const resource = named === undefined ? { address: resourceAddress(house), profileName: undefined } : resourceOf(named, house)
      if (!resource) throw new OAuthProblem('invalid_target', 'resource is not served here')
      const deviceCode = `tpd_${randomSecret()}`
      const userCode = newUserCode()
      const now = clock()
      const row = {
        ...{ hash: sha256(deviceCode), userCodeHash: sha256(userCode), clientId: client.id, address, issuer: issuerOf(house) },
        ...{ resource: resource.address, profileName: resource.profileName ?? null },
        ...{ scope: scope === 'offline_access' ? ALL_SCOPES : scope, createdAt: now, expiresAt: now + DEVICE_MS },
        intervalSeconds: INTERVAL_SECONDS,
      }
      await store.transact(async (tx) => {
        const isWaiting = and(eq(deviceCodes.clientId, client.id), gt(deviceCodes.expiresAt, now), isNull(deviceCodes.decidedAt))
        const waiting = await tx.select({ hash: deviceCodes.hash }).from(deviceCodes).where(isWaiting)
        if (waiting.length >= WAITING_MAX) throw new OAuthProblem('slow_down', 'too many devices of this client are waiting', 429, 60)
        await tx.insert(deviceCodes).values(row)
      })
      trace.note({ step: 'device', outcome: 'waiting', address, origin: house.origin, clientId: client.id, clientName: client.name })
      const page = `${issuerOf(house)}/device`
      return {
        ...{ device_code: deviceCode, user_code: shown(userCode), verification_uri: page },
        ...{
          verification_uri_complete: `${page}?user_code=${shown(userCode)}`,
          expires_in: DEVICE_MS / SECOND_MS,
          interval: INTERVAL_SECONDS,
        },
      }
    },
  }
}

function createDeciding({ store, clock }: Deps) {
  const guesses = (keyPrefix: string) => new RateLimiterMemory({ keyPrefix, points: GUESSES_MAX, duration: HOUR_MS / SECOND_MS })
  const byUser = guesses('device codes by user')
  const byAddress = guesses('device codes by address')
  const isOpen = () => and(gt(deviceCodes.expiresAt, clock()), isNull(deviceCodes.decidedAt))
  return {
    /** @throws Failure `user_code_unknown`, and `slow_down` for whoever tries many */
    async findByUserCode(typed: string, by: { userId: UserId; address: string }): Promise<WaitingDevice> {
      try {
        await Promise.all([byUser.consume(by.userId), byAddress.consume(by.address)])
      } catch (refused) {
        if (!(refused instanceof RateLimiterRes)) throw refused
        throw new Failure('slow_down', { retryAfterSeconds: Math.ceil(refused.msBeforeNext / SECOND_MS) })
      }
      const isMeant = and(eq(deviceCodes.userCodeHash, sha256(plainUserCode(typed))), isOpen())
      const [device] = await store.read.select().from(deviceCodes).where(isMeant)
      if (!device) throw new Failure('user_code_unknown')
      // A hit is no guess.
      await Promise.all([byUser.reward(by.userId), byAddress.reward(by.address)])
      return device
    },
    /** @param grantId undefined for a denial. False when it was decided, or has expired meanwhile. */
    async decideWithin(tx: Writer, hash: string, grantId: GrantId | undefined): Promise<boolean> {
      const decided = { decidedAt: clock(), grantId: grantId ?? null }
      return (
        (
          await tx
            .update(deviceCodes)
            .set(decided)
            .where(and(eq(deviceCodes.hash, hash), isOpen()))
            .returning()
        ).length === 1
      )
    },
  }
}

/** What a device that asks again is told (RFC 8628 §3.5), or its tokens, once. */
function createPolling(deps: Deps) {
  const { store, clock, grants } = deps
  const tokens = createTokens(deps)
  return async (client: Client, asked: Parameters): Promise<TokenAnswer> => {
    const code = asked.get('device_code')
    if (!code) throw new OAuthProblem('invalid_request', 'device_code is missing')
    const hash = sha256(code)
    const outcome = await store.transact(async (tx) => {
      const [device] = await tx.select().from(deviceCodes).where(eq(deviceCodes.hash, hash))
      if (!device || device.clientId !== client.id || device.usedAt !== null) throw invalidGrant('the device_code is unknown or was used')
      const now = clock()
      if (device.expiresAt <= now) return { told: 'expired_token' as const }
      if (device.decidedAt === null) return { told: await paceOf(tx, device, now) }
      if (device.grantId === null) return { told: 'access_denied' as const }
      const grant = await demandLiveGrant(deps, device.grantId)
      await tx.update(deviceCodes).set({ usedAt: now }).where(eq(deviceCodes.hash, hash))
      await grants.activate(tx, grant.id)
      const family = { grantId: grant.id, clientId: client.id, family: hash, resource: device.resource, scope: device.scope }
      const answer = await tokens.access(tx, family, grant.expiresAt)
      if (mayStay(client, device.scope)) answer.refresh_token = await tokens.refresh(tx, tokens.firstRefresh(), family, grant.expiresAt)
      return { answer, grantId: grant.id }
    })
    if ('told' in outcome) throw new OAuthProblem(outcome.told, SENTENCES[outcome.told])
    grants.forget(outcome.grantId)
    return outcome.answer
  }
}

const SENTENCES = {
  authorization_pending: 'nobody has decided yet, ask again',
  slow_down: 'too fast, wait five seconds longer between two questions',
  access_denied: 'the user denied the request',
  expired_token: 'the device_code has expired, start again',
} as const

/** Too early makes the interval longer for good: five seconds each time. */
async function paceOf(tx: Writer, device: WaitingDevice, now: number): Promise<'authorization_pending' | 'slow_down'> {
  const isEarly = device.lastPolledAt !== null && now < device.lastPolledAt + device.intervalSeconds * SECOND_MS
  const intervalSeconds = device.intervalSeconds + (isEarly ? INTERVAL_SECONDS : 0)
  await tx.update(deviceCodes).set({ lastPolledAt: now, intervalSeconds }).where(eq(deviceCodes.hash, device.hash))
  return isEarly ? 'slow_down' : 'authorization_pending'
}
