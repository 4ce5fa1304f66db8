/** Accounts at providers whose OAuth is of the classic kind. */
import type { Requirement } from '../requirements.ts'

const rfc = (number: number, section: string) => `https://www.rfc-editor.org/rfc/rfc${number}#section-${section}`

export const providers: readonly Requirement[] = [
  {
    id: 'PROVIDER-SET-UP',
    says: 'An administrator enters the client of each provider once; its secret is sealed, shown to nobody again, and kept when left empty.',
    clause: 'SECURITY.md#secrets-at-rest',
  },
  {
    id: 'PROVIDER-QUIRKS',
    says: 'GitHub, Google, Microsoft, Slack and Atlassian are each asked and read in their own way, and the account has its name from there.',
    clause: rfc(6749, '4.1'),
  },
  {
    id: 'PROVIDER-DENIED',
    says: 'A provider’s refusal is told apart from its answer, whatever the status it comes with, and leaves nothing behind.',
    clause: rfc(6749, '5.2'),
  },
  {
    id: 'PROVIDER-STATE',
    says: 'A sign-in at a provider comes back once, to the session that began it, by that provider’s own address, with the right issuer.',
    clause: rfc(9700, '4.4.2'),
  },
  {
    id: 'PROVIDER-EACH',
    says: 'A connection uses for each user the account that this user chose for it, and never anybody else’s.',
    clause: 'ARCHITECTURE.md#what-is-not-there',
  },
  {
    id: 'PROVIDER-OWNER',
    says: 'A connection that is used with its owner’s account tells others neither its token nor its name.',
    clause: 'ARCHITECTURE.md#what-is-not-there',
  },
  {
    id: 'PROVIDER-MOVE',
    says: 'A connection that is pointed elsewhere gets nobody’s account until they choose again.',
    clause: 'ARCHITECTURE.md#what-is-not-there',
  },
  {
    id: 'PROVIDER-RENEW',
    says: 'An account is renewed ahead of its end, once for all calls at a time, and a refresh token is never lost to an answer without one.',
    clause: rfc(6749, '6'),
  },
  {
    id: 'PROVIDER-REFUSED',
    says: 'A token of an account that the upstream refuses is renewed once, and the call is made again.',
    clause: rfc(6750, '3.1'),
  },
  {
    id: 'PROVIDER-DEAD',
    says: 'An account that cannot be renewed says so on its page, on the connection’s and at home, and a new sign-in mends it.',
    clause: rfc(6749, '5.2'),
  },
  {
    id: 'PROVIDER-PLACES',
    says: 'An account’s token goes into a header, a secret setting or a variable of a program, and into nothing that is shown or stored.',
    clause: 'ARCHITECTURE.md#what-is-not-there',
  },
  {
    id: 'PROVIDER-GENERIC',
    says: 'Any other service is set up by its discovery document or by addresses, which have to be https or loopback.',
    clause: rfc(8414, '3.3'),
  },
  {
    id: 'PROVIDER-MOVED',
    says: 'A provider with another client or other addresses, or none any more, signs everybody out and forgets its secret.',
    clause: rfc(9700, '4.4'),
  },
  {
    id: 'PROVIDER-OUT',
    says: 'Disconnecting an account destroys what was held here and ends it over there where that is offered.',
    clause: rfc(7009, '2'),
  },
  {
    id: 'PROVIDER-SEALED',
    says: 'No token of an account and no secret of a client stands in the database, the log or the audit.',
    clause: 'SECURITY.md#secrets-at-rest',
  },
  {
    id: 'PROVIDER-SHAPES',
    says: 'A plugin’s OAuth and login providers are checked as its connectors are, and a plugin with a broken one is set aside by name.',
    clause: 'ARCHITECTURE.md#where-things-are',
  },
]
