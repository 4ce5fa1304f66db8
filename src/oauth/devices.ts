/** Devices without a browser: they show a code, a person types it elsewhere (RFC 8628). */
import { and, eq, gt, isNull } from 'drizzle-orm'
import { RateLimiterMemory, RateLimiterRes } from '@/lib/rate-limiter.ts'
import { type Client, createTurnstile, OAuthProblem } from '@/clients'
import { networkOf } from '@/lib/addresses.ts'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '@/lib/clock.ts'
import { randomSecret, sha256 } from '@/lib/crypto.ts'
import { Failure } from '@/lib/failure.ts'
import type { GrantId, UserId } from '@/lib/ids.ts'
import { deviceCodes, type Writer } from '@/store'
import { type Asking, noted, once } from './asking.ts'
import type { Authenticate } from './client-auth.ts'
import type { Deps } from './needs.ts'
import { ALL_SCOPES, scopeOf } from './parameters.ts'
import { issuerOf, resourceAddress, resourceOf } from './places.ts'
import { createTokens, type Exchange, demandLiveGrant, invalidGrant, mayStay, tellIssued } from './tokens.ts'

export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'
const DEVICE_MS = 10 * MINUTE_MS
const INTERVAL_SECONDS = 5
/** No vowels, so that no word appears; nothing that is taken for another letter (RFC 8628 §6.1). */
const ALPHABET = 'BCDFGHJKLMNPQRSTVWXZ'
const CODE_LENGTH = 8
/** 20^8 codes, a handful of them waiting: with so many guesses an hour nobody meets one. */
const GUESSES_MAX = 20
const GUESSES_BY_ADDRESS_MAX = 100
/** Codes that one address may have made while the first of them is good. */
const DEVICES_MAX = 200
/** A question that was sent in time may arrive early after one that was late. */
const EARLY_MS = 500

export type WaitingDevice = typeof deviceCodes.$inferSelect

function newUserCode(): string {
  let code = ''
  // Bytes beyond the largest multiple of the alphabet are left out, or its first letters would come more often.
  while (code.length < CODE_LENGTH)
    for (const byte of crypto.getRandomValues(new Uint8Array(CODE_LENGTH)))
      if (byte < 240 && code.length < CODE_LENGTH) code += ALPHABET[byte % ALPHABET.length]
  return code
}
/** As people type: any case, with or without the dash, spaces anywhere. */
const plainUserCode = (typed: string): string => typed.toUpperCase().replace(/[^A-Z]/g, '')
const shown = (code: string) => `${code.slice(0, 4)}-${code.slice(4)}`

export function createDevices(deps: Deps, authenticate: Authenticate) {
  return { ...createAsking(deps, authenticate), ...createDeciding(deps), poll: createPolling(deps) }
}

function createAsking({ store, clock, trace }: Deps, authenticate: Authenticate) {
  const pass = createTurnstile('devices', DEVICES_MAX, DEVICE_MS)
  return {
    /** RFC 8628 §3.1. @throws OAuthProblem */
    beginDevice: (asking: Asking): Promise<Record<string, string | number>> =>
      noted(trace, 'device', asking, async (seen) => {
        const { form, house, address } = asking
        const asked = once(form)
        const client = await authenticate(asking, asked)
        seen(client)
        demandDevices(client)
        const scope = scopeOf(asked.get('scope') ?? ALL_SCOPES)
        if (scope === undefined) throw new OAuthProblem('invalid_scope', `the scopes are ${ALL_SCOPES}`)
        const named = asked.get('resource')
        const resource = named === undefined ? { address: resourceAddress(house), profileName: undefined } : resourceOf(named, house)
        if (!resource) throw new OAuthProblem('invalid_target', 'resource is not served here')
        await pass(address)
        const deviceCode = `tpd_${randomSecret()}`
        const userCode = newUserCode()
        const now = clock()
        const row = {
          ...{ hash: sha256(deviceCode), userCodeHash: sha256(userCode), clientId: client.id, address, issuer: issuerOf(house) },
          ...{ resource: resource.address, profileName: resource.profileName ?? null },
          ...{ scope: scope === 'offline_access' ? ALL_SCOPES : scope, createdAt: now, expiresAt: now + DEVICE_MS },
          intervalSeconds: INTERVAL_SECONDS,
        }
        await store.transact((tx) => tx.insert(deviceCodes).values(row))
        const page = `${issuerOf(house)}/device`
        return {
          ...{ device_code: deviceCode, user_code: shown(userCode), verification_uri: page },
          ...{ verification_uri_complete: `${page}?user_code=${shown(userCode)}` },
          ...{ expires_in: DEVICE_MS / SECOND_MS, interval: INTERVAL_SECONDS },
        }
      }),
  }
}

/**
 * Whoever wants to be let in elsewhere than on the user's own screen says so when it registers. Else anybody could start
 * this under the name of a client that never does (RFC 8628 §5.4). @throws OAuthProblem `unauthorized_client`
 */
function demandDevices({ kind, metadata }: Client): void {
  const isMeant = kind === 'registered' || [metadata['grant_types']].flat().includes(DEVICE_GRANT)
  if (!isMeant) throw new OAuthProblem('unauthorized_client', `this client did not register for ${DEVICE_GRANT}`)
}

function createDeciding({ store, clock }: Deps) {
  const guesses = (keyPrefix: string, points: number) => new RateLimiterMemory({ keyPrefix, points, duration: HOUR_MS / SECOND_MS })
  const byUser = guesses('device codes by user', GUESSES_MAX)
  const byAddress = guesses('device codes by address', GUESSES_BY_ADDRESS_MAX)
  const isOpen = () => and(gt(deviceCodes.expiresAt, clock()), isNull(deviceCodes.decidedAt))
  return {
    /** @throws Failure `user_code_unknown`, and `slow_down` for whoever tries many */
    async findByUserCode(typed: string, by: { userId: UserId; address: string }): Promise<WaitingDevice> {
      const network = networkOf(by.address)
      try {
        // One after the other: who is refused as a user must not use up what others behind the same address have.
        await byUser.consume(by.userId)
        await byAddress.consume(network)
      } catch (refused) {
        if (!(refused instanceof RateLimiterRes)) throw refused
        throw new Failure('slow_down', { retryAfterSeconds: Math.ceil(refused.msBeforeNext / SECOND_MS) })
      }
      const isMeant = and(eq(deviceCodes.userCodeHash, sha256(plainUserCode(typed))), isOpen())
      const [device] = await store.read.select().from(deviceCodes).where(isMeant)
      if (!device) throw new Failure('user_code_unknown')
      // A hit is no guess.
      await Promise.all([byUser.reward(by.userId), byAddress.reward(network)])
      return device
    },
    /** @param grantId undefined for a denial. False when it was decided, or has expired meanwhile. */
    async decideWithin(tx: Writer, hash: string, grantId: GrantId | undefined): Promise<boolean> {
      const decided = { decidedAt: clock(), grantId: grantId ?? null }
      const isMeant = and(eq(deviceCodes.hash, hash), isOpen())
      return (await tx.update(deviceCodes).set(decided).where(isMeant).returning()).length === 1
    },
  }
}

/** What a device that asks again is told (RFC 8628 §3.5), or its tokens, once. */
function createPolling(deps: Deps): Exchange {
  const { store, clock, grants } = deps
  const tokens = createTokens(deps)
  return async (client, asked, whose) => {
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
      const resource = asked.get('resource')
      if (resource !== undefined && resource !== device.resource)
        throw new OAuthProblem('invalid_target', 'resource is not the authorised one')
      const grant = await demandLiveGrant(deps, device.grantId)
      whose(grant.userId)
      await tx.update(deviceCodes).set({ usedAt: now }).where(eq(deviceCodes.hash, hash))
      await grants.activate(tx, grant.id)
      await tellIssued(deps, tx, client, grant)
      const family = { grantId: grant.id, clientId: client.id, family: hash, resource: device.resource, scope: device.scope }
      const answer = await tokens.access(tx, family, grant.expiresAt)
      if (mayStay(client, device.scope)) answer.refresh_token = await tokens.refresh(tx, tokens.firstRefresh(), family, grant.expiresAt)
      return { answer, grantId: grant.id }
    })
    if ('told' in outcome) throw new OAuthProblem(outcome.told, SENTENCES[outcome.told])
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
  const isEarly = device.lastPolledAt !== null && now < device.lastPolledAt + device.intervalSeconds * SECOND_MS - EARLY_MS
  const intervalSeconds = device.intervalSeconds + (isEarly ? INTERVAL_SECONDS : 0)
  await tx.update(deviceCodes).set({ lastPolledAt: now, intervalSeconds }).where(eq(deviceCodes.hash, device.hash))
  return isEarly ? 'slow_down' : 'authorization_pending'
}
