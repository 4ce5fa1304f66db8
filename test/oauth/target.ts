/** An authorization server as the suite sees one: addresses, and a person in front of its pages. Ours is one, the oracle another. */
import type { Page } from '../../bench/person.ts'

type Endpoint =
  | 'authorization_endpoint'
  | 'token_endpoint'
  | 'registration_endpoint'
  | 'revocation_endpoint'
  | 'introspection_endpoint'
  | 'pushed_authorization_request_endpoint'
  | 'device_authorization_endpoint'
/** Registration is no form, and authorize is for browsers. */
export type FormEndpoint = Exclude<Endpoint, 'authorization_endpoint' | 'registration_endpoint'>
export type Metadata = Record<Endpoint | 'issuer', string> & Record<string, unknown>

export type Word = 'allow' | 'deny'
export type Device = { device_code: string; user_code: string; verification_uri: string; verification_uri_complete: string }

export type Target = {
  readonly name: 'toolpass' | 'oracle'
  readonly issuer: string
  /** What it publishes of itself, read over HTTP. */
  readonly metadata: Metadata
  /** What tokens are asked for, and a second one of the same server. */
  readonly resource: string
  readonly otherResource: string
  /** Opens an address in the browser of somebody who is signed in. Stops where a person is asked, or off the site. */
  visit(address: string): Promise<Page>
  /** The same, by somebody who is not signed in. */
  visitAsStranger(address: string): Promise<Page>
  /** Opens an authorization request and answers it. @returns where the browser is sent then */
  answer(address: string, word: Word): Promise<URL>
  /** Types the code that a device shows, and answers. */
  answerDevice(device: Device, word: Word): Promise<void>
  /** Whether a token opens the resource. */
  accepts(accessToken: string): Promise<boolean>
  stop(): Promise<void>
}

export async function readMetadata(issuer: string): Promise<Metadata> {
  const answer = await fetch(`${issuer}/.well-known/oauth-authorization-server`)
  return (await answer.json()) as Metadata
}
