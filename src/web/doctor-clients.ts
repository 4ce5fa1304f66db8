/** What is known of clients by name: hints for the page, never grounds for trust. */
import { KNOWN_CLIENTS, type KnownClient, knownClient } from '@/clients'
import type { Client } from './needs.ts'

export const CLIENT_OPTIONS = KNOWN_CLIENTS.map(({ id, name }) => ({ value: id, label: name }))
export const clientOption = (id: string | undefined): KnownClient | undefined => KNOWN_CLIENTS.find((known) => known.id === id)
/** By its document, else by any address that it registered. */
export const recognised = ({ kind, identifier, redirectUris }: Pick<Client, 'kind' | 'identifier' | 'redirectUris'>) =>
  [undefined, ...redirectUris]
    .map((redirectUri) => knownClient({ kind, identifier, ...(redirectUri !== undefined && { redirectUri }) })?.client)
    .find((known) => known !== undefined)
