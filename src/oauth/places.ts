/** Our addresses as OAuth names them. The issuer is the one text that has to be the same, byte by byte, everywhere. */
export type House = { origin: string; base: string }

/** The resource `/mcp` (any profile) or `/mcp/<name>`. Whether such a profile exists is nobody's business here. */
export type Resource = { address: string; profileName: string | undefined }

// As the profiles room names them.
const PROFILE_NAME = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/

export const issuerOf = ({ origin, base }: House): string => origin + base
export const isProfileName = (name: string): boolean => PROFILE_NAME.test(name)
export const resourceAddress = (house: House, profileName?: string): string =>
  `${issuerOf(house)}/mcp${profileName === undefined ? '' : `/${profileName}`}`

/** Exactly as we spell it, or undefined: an audience is compared, never interpreted. */
export function resourceOf(text: string, house: House): Resource | undefined {
  const address = resourceAddress(house)
  if (text === address) return { address, profileName: undefined }
  const name = text.startsWith(`${address}/`) ? text.slice(address.length + 1) : ''
  return isProfileName(name) ? { address: text, profileName: name } : undefined
}

/** The registered address with the answer behind it, the rest of it untouched. */
export function withAnswer(redirectUri: string, answer: Record<string, string | undefined>): string {
  const query = new URLSearchParams(Object.entries(answer).filter((pair): pair is [string, string] => pair[1] !== undefined))
  const joint = redirectUri.includes('?') ? (/[?&]$/.test(redirectUri) ? '' : '&') : '?'
  return `${redirectUri}${joint}${query}`
}
