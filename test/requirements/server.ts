/** The authorization server beyond the code flow: pushed requests, devices, introspection, keys instead of secrets. */
import type { Requirement } from '../requirements.ts'

const rfc = (number: number, section: string) => `https://www.rfc-editor.org/rfc/rfc${number}#section-${section}`

export const server: readonly Requirement[] = [
  {
    id: 'RFC7009-2.1',
    says: 'A client that revokes its refresh token has ended its grant; an access token it revokes ends alone.',
    clause: 'https://www.rfc-editor.org/rfc/rfc7009#section-2.1',
  },
  {
    id: 'ABUSE-11',
    says: 'Another response type than code, and another grant than ours, are refused by name.',
    clause: rfc(9700, '2.4'),
  },
  {
    id: 'ABUSE-20',
    says: "Introspection without proof is 401, and revoking another client's token is 200 without effect.",
    clause: rfc(7662, '4'),
  },
  {
    id: 'AUTHORIZE-CHECKS',
    says: 'Each check of an authorization request refuses with an error of its own, on our page or at the client, never the other way round.',
    clause: rfc(6749, '4.1.2.1'),
  },
  {
    id: 'AUTHORIZE-CHANGED',
    says: 'A request that waits for its user is gone once its client has another name or other redirect URIs, up to the decision.',
    clause: rfc(7592, '5'),
  },
  {
    id: 'AUTHORIZE-HELD-BACK',
    says: 'A client that the house has not admitted sends nobody to a web address of its own, also not with an error.',
    clause: rfc(9700, '4.11.2'),
  },
  {
    id: 'AUTHORIZE-VISIT',
    says: 'What a page elsewhere loads as a picture, script or frame begins no authorization request and has nothing fetched.',
    clause: 'https://www.w3.org/TR/fetch-metadata/#sec-fetch-dest-header',
  },
  {
    id: 'PAR-PUSH',
    says: 'A client may push its request and send its user with the name of it; what else stands in that query is not looked at.',
    clause: rfc(9126, '4'),
  },
  {
    id: 'PAR-REUSE',
    says: 'A pushed request is good for one decision; until then its page may be loaded again.',
    clause: rfc(9126, '7.3'),
  },
  {
    id: 'PAR-BOUND',
    says: 'A pushed request of another client, an expired and an unknown one are answered with a page and no Location.',
    clause: rfc(9126, '2.2'),
  },
  {
    id: 'PAR-JUDGED',
    says: 'A pushed request is judged at once by the checks of the authorization endpoint, and cannot hold a request_uri.',
    clause: rfc(9126, '2.1'),
  },
  { id: 'PAR-AUTH', says: 'Whoever pushes proves itself as at the token endpoint, and no proof of it is stored.', clause: rfc(9126, '2') },
  {
    id: 'DEVICE-BEGIN',
    says: 'A device gets a code for itself and a short one for a person, which the database knows by their hashes; floods meet 429.',
    clause: rfc(8628, '3.2'),
  },
  {
    id: 'DEVICE-REGISTERED',
    says: 'Only clients that registered for devices, or that an administrator registered, may start one.',
    clause: rfc(8628, '5.4'),
  },
  { id: 'DEVICE-TOKEN', says: 'A device that waits is told authorization_pending, and gets its tokens once.', clause: rfc(8628, '3.5') },
  {
    id: 'DEVICE-SLOW-DOWN',
    says: 'A device that asks too early is told slow_down, and waits five seconds longer from then on.',
    clause: rfc(8628, '3.5'),
  },
  { id: 'DEVICE-DENIED', says: 'A device that was denied is told access_denied.', clause: rfc(8628, '3.5') },
  {
    id: 'DEVICE-EXPIRED',
    says: 'After ten minutes neither code is good, and the device is told expired_token.',
    clause: rfc(8628, '3.5'),
  },
  {
    id: 'DEVICE-BOUND',
    says: 'The code of a device is good for its client, its resource, and while its grant holds.',
    clause: rfc(8628, '3.4'),
  },
  {
    id: 'DEVICE-TYPED',
    says: 'A person may type the code in any case, with or without its dash, and one answer counts.',
    clause: rfc(8628, '6.1'),
  },
  {
    id: 'DEVICE-GUESSES',
    says: 'Guessing codes is slowed for a user and for an address, while others go on.',
    clause: rfc(8628, '5.1'),
  },
  {
    id: 'INTROSPECT-ACTIVE',
    says: 'A client that proves itself learns whose its token is, for which resource, with what scope and until when.',
    clause: rfc(7662, '2.2'),
  },
  { id: 'INTROSPECT-AUTH', says: 'Introspection is for clients that prove themselves; public ones are 401.', clause: rfc(7662, '2.1') },
  {
    id: 'INTROSPECT-INACTIVE',
    says: 'Everything but a good token of the asking client is answered with exactly {"active":false}.',
    clause: rfc(7662, '2.2'),
  },
  {
    id: 'ASSERTION-GOOD',
    says: 'A signed assertion for the issuer, the asked endpoint or the token endpoint proves a client at every endpoint.',
    clause: rfc(9126, '2'),
  },
  {
    id: 'ASSERTION-CLAIMS',
    says: 'An assertion with a wrong audience, issuer, subject, time or jti is 401 invalid_client.',
    clause: rfc(7523, '3'),
  },
  {
    id: 'ASSERTION-HOST',
    says: 'An assertion counts under our public address, or where none is set under the port we listen on, whatever the Host header says.',
    clause: rfc(7523, '3'),
  },
  { id: 'ASSERTION-ONCE', says: 'An assertion is good once, even when it comes many times at once.', clause: rfc(7523, '3') },
  {
    id: 'ASSERTION-KEY',
    says: 'An assertion counts only with a signature of an asymmetric key of its client: none, a shared secret and foreign keys are refused.',
    clause: 'https://www.rfc-editor.org/rfc/rfc8725#section-3.1',
  },
  {
    id: 'ASSERTION-ALONE',
    says: 'A client with a key proves itself by that alone, never by its name or a secret, and in one way at a time.',
    clause: rfc(6749, '2.3'),
  },
  {
    id: 'ASSERTION-DOCUMENT',
    says: 'The keys of a metadata document are looked up again when one is unknown, once a minute at most, and removed ones are refused.',
    clause: 'https://datatracker.ietf.org/doc/html/draft-ietf-oauth-client-id-metadata-document-00#section-6.2',
  },
  {
    id: 'RFC7592-2',
    says: 'A client may read, change and delete its registration; its id, its secret and its way to prove itself stay.',
    clause: rfc(7592, '2'),
  },
  {
    id: 'RFC7592-3',
    says: 'A missing, wrong or foreign registration token is 401, and tells nothing about which clients exist.',
    clause: rfc(7592, '2.1'),
  },
  {
    id: 'OAUTH-METADATA',
    says: 'The metadata names every endpoint and each way to prove oneself, and every endpoint may be called from any web origin.',
    clause: rfc(8414, '2'),
  },
  {
    id: 'OAUTH-TRACE',
    says: 'What clients ask at the endpoints for machines is noted with its outcome and error, and with nothing that was sent.',
    clause: rfc(9700, '4.2'),
  },
  {
    id: 'RACE-CODE',
    says: 'Of 50 redemptions of a code at once exactly one succeeds; wrong ones do not use it up.',
    clause: rfc(6749, '10.5'),
  },
  {
    id: 'RACE-REFRESH',
    says: 'Of 50 refreshes at once all succeed within the grace with one child; without a grace exactly one does.',
    clause: rfc(9700, '4.14.2'),
  },
]
