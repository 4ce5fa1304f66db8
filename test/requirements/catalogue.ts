/** Finding a server in the catalogue, offering profiles as a registry, and importing what other programs wrote down. */
import type { Requirement } from '../requirements.ts'

const registry = 'https://github.com/modelcontextprotocol/registry/blob/main/docs/reference/api/generic-registry-api.md'
const serverJson = 'https://github.com/modelcontextprotocol/registry/blob/main/docs/reference/server-json/generic-server-json.md'
const adr = 'docs/adr/0015-a-catalogue-in-the-registrys-shape.md'

export const catalogue: readonly Requirement[] = [
  {
    id: 'CATALOGUE-SHIPPED',
    says: 'At least sixty entries come with the program, each sound by our schema, with a way in, a day and a source.',
    clause: serverJson,
  },
  {
    id: 'CATALOGUE-WAYS',
    says: 'Remotes become addresses with headers and packages become commands, with the answers put in and nothing half filled in.',
    clause: serverJson,
  },
  {
    id: 'CATALOGUE-FIND',
    says: 'Entries are found by name, title and description and by how one gets in, without JavaScript.',
    clause: adr,
  },
  {
    id: 'CATALOGUE-ONE-CLICK',
    says: 'An open server is added in one click from the list; what asks for something asks for it first.',
    clause: adr,
  },
  {
    id: 'CATALOGUE-PROGRAMS',
    says: 'An entry that runs a program is added by those who may define programs, and by nobody else.',
    clause: 'SECURITY.md#programs-that-run-here',
  },
  {
    id: 'CATALOGUE-OWN',
    says: 'Administrators write, change and remove entries; theirs hide any other of the name, and to members each route is a 403.',
    clause: adr,
  },
  {
    id: 'CATALOGUE-LOAD',
    says: 'A list is loaded from a file or a saved page of a registry; what is no entry is named and the rest comes.',
    clause: adr,
  },
  {
    id: 'CATALOGUE-SYNC',
    says: 'A followed registry is read page by page, once an hour at most, with what changed since and its entity tag; what goes wrong is shown.',
    clause: registry,
  },
  {
    id: 'REGISTRY-OFFERED',
    says: 'Profiles are offered by the registry API to their user alone, by session or by an access token for scripts; no token of an app opens it.',
    clause: registry,
  },
  {
    id: 'IMPORT-FORMATS',
    says: 'The configurations of Claude, VS Code, Cursor, Windsurf, Codex, Zed, Gemini and OpenCode are read, comments and variables included.',
    clause: 'README.md#the-first-three-minutes',
  },
  {
    id: 'IMPORT-PREVIEW',
    says: 'Nothing is made before it was shown what it becomes; what is picked is made once, and one that is refused takes no other with it.',
    clause: 'README.md#the-first-three-minutes',
  },
  {
    id: 'IMPORT-SECRETS',
    says: 'Secrets of a configuration are never shown back, and are stored sealed alone.',
    clause: 'docs/adr/0012-sealed-credentials.md',
  },
  {
    id: 'IMPORT-COMMAND',
    says: 'The command imports a file for a named user, fills in from its environment, and makes nothing on a dry run.',
    clause: 'README.md#the-first-three-minutes',
  },
  {
    id: 'ABUSE-51',
    says: 'Markup and javascript: links in what others wrote about a server are shown as text.',
    clause: 'https://owasp.org/www-community/attacks/xss/',
  },
  {
    id: 'ABUSE-56',
    says: 'An archive, a huge or deep text, a name or a command with ../ is refused with the reason, and nothing is made.',
    clause: 'https://owasp.org/www-community/attacks/Path_Traversal',
  },
]
