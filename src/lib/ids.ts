/** Branded, prefixed ids of every room, here so that audit rows and signatures need no room above them. */
import { z } from 'zod'
import { randomText } from './crypto.ts'

// 16 characters of 32 are 80 random bits: not guessable in practice, and ids are never what a door relies on.
const id = <const P extends string, const B extends string>(prefix: P, _brand: B) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}_[0-9a-hjkmnp-tv-z]{16}$`))
    .brand<B>()

export const UserId = id('usr', 'UserId')
export const ConnectionId = id('con', 'ConnectionId')
export const CredentialId = id('crd', 'CredentialId')
export const ToolId = id('tol', 'ToolId')
export const ProfileId = id('prf', 'ProfileId')
export const ClientId = id('cli', 'ClientId')
export const GrantId = id('grt', 'GrantId')
export const ApprovalId = id('apr', 'ApprovalId')
export const NoticeWayId = id('ntw', 'NoticeWayId')

export type UserId = z.infer<typeof UserId>
export type ConnectionId = z.infer<typeof ConnectionId>
export type CredentialId = z.infer<typeof CredentialId>
export type ToolId = z.infer<typeof ToolId>
export type ProfileId = z.infer<typeof ProfileId>
export type ClientId = z.infer<typeof ClientId>
export type GrantId = z.infer<typeof GrantId>
export type ApprovalId = z.infer<typeof ApprovalId>
export type NoticeWayId = z.infer<typeof NoticeWayId>

export const newUserId = (): UserId => `usr_${randomText(16)}` as UserId
export const newConnectionId = (): ConnectionId => `con_${randomText(16)}` as ConnectionId
export const newCredentialId = (): CredentialId => `crd_${randomText(16)}` as CredentialId
export const newToolId = (): ToolId => `tol_${randomText(16)}` as ToolId
export const newProfileId = (): ProfileId => `prf_${randomText(16)}` as ProfileId
export const newClientId = (): ClientId => `cli_${randomText(16)}` as ClientId
export const newGrantId = (): GrantId => `grt_${randomText(16)}` as GrantId
export const newApprovalId = (): ApprovalId => `apr_${randomText(16)}` as ApprovalId
export const newNoticeWayId = (): NoticeWayId => `ntw_${randomText(16)}` as NoticeWayId
