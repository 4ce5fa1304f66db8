/** The page on which a person lets an app in, and what follows from their answer. */
import type { Requirement } from '../requirements.ts'

const rfc = (number: number, section: string) => `https://www.rfc-editor.org/rfc/rfc${number}#section-${section}`
const PAGE = 'ARCHITECTURE.md#an-authorization'

export const consent: readonly Requirement[] = [
  {
    id: 'ABUSE-25',
    says: 'A client name with markup, direction marks or ten kilobytes is shown as text, cut, and marked unverified; its logo is never fetched.',
    clause: rfc(7591, '5'),
  },
  {
    id: 'ABUSE-26',
    says: 'An app that is answered on this computer gets a warning and the host shown, no label of a known app, and is always asked about.',
    clause: rfc(8252, '8.6'),
  },
  {
    id: 'CONSENT-VERIFIED',
    says: 'The page says in one badge how far a name is verified, and a known app is a hint by exact address that changes nothing else.',
    clause: PAGE,
  },
  {
    id: 'CONSENT-READ-ONLY',
    says: 'One button switches on what only reads, without JavaScript as well, and decides nothing.',
    clause: PAGE,
  },
  {
    id: 'CONSENT-FEATURES',
    says: 'Prompts and resources are asked for, switched and compared with before as tools are, in a group of their own.',
    clause: PAGE,
  },
  {
    id: 'CONSENT-PROFILE',
    says: 'For /mcp the user picks one of their own profiles, and what is posted for another than was shown is refused.',
    clause: PAGE,
  },
  {
    id: 'CONSENT-AGAIN',
    says: 'Whoever let this app in before sees what would be different, and is offered no more than they allowed then.',
    clause: PAGE,
  },
  {
    id: 'CONSENT-REPLACES',
    says: 'Allowing an app anew ends the earlier connection in the same step: by default for a registration, on request for a document.',
    clause: PAGE,
  },
  {
    id: 'CONSENT-NARROW',
    says: 'Whatever is posted, a grant never holds a tool that was not offered, and whatever a refresh asks for, its token never has more scope.',
    clause: rfc(6749, '6'),
  },
  {
    id: 'CONSENT-UNREADY',
    says: 'Connections of the profile that fail are named, with the way to put them right and back to the request.',
    clause: PAGE,
  },
  {
    id: 'CONSENT-POLICY',
    says: 'An app that the house does not admit is let in by nobody until an administrator approves it, which they can do from the page.',
    clause: PAGE,
  },
  {
    id: 'CONSENT-PLAIN',
    says: 'Deny is the first button of the form and weighs as much as Allow; nothing on the page needs JavaScript.',
    clause: PAGE,
  },
  {
    id: 'CONSENT-PUSHED',
    says: 'A pushed request leads to the same page, survives a reload of it, and is decided once.',
    clause: rfc(9126, '4'),
  },
  {
    id: 'CONSENT-DEVICE',
    says: 'A code typed at /device leads to the same page, which says where the device is and since when it waits; nothing is sent by a link alone.',
    clause: rfc(8628, '5.4'),
  },
  {
    id: 'CONSENT-TRACE',
    says: 'Each step of an authorization leaves a note for the doctor, and none holds what a client sent.',
    clause: PAGE,
  },
]
