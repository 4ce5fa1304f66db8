/**
 * The architecture in one line: a room imports only rooms to its left, and only through their index. Every rule about rooms
 * below is made from this array, and ARCHITECTURE.md shows the same line (test/tidy.test.ts compares the two).
 */
const STAIRCASE =
  'lib → config → store → audit → plugins → users → notices → clients → catalogue → connections → profiles → grants → http → oauth → gateway → web → app → cli'.split(
    ' → ',
  )
/** Rooms without a front door: two drawers of single files, and one that is a single file. */
const OPEN_ROOMS = new Set(['lib', 'http', 'app'])

const room = (name) => `^src/${name}(/|\\.tsx?$)`
const frontDoor = (name) => `^src/${name}/index\\.tsx?$`
const after = (name) => STAIRCASE.slice(STAIRCASE.indexOf(name) + 1)
const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })

const stairs = STAIRCASE.slice(0, -1).map((name) =>
  rule(
    `no-stairs-up-from-${name}`,
    `${name} knows nothing of the rooms to its right. What must flow back goes through lib/changes.`,
    { path: room(name) },
    { path: after(name).map(room) },
  ),
)

const frontDoors = STAIRCASE.filter((name) => !OPEN_ROOMS.has(name)).map((name) =>
  rule(
    `front-door-of-${name}`,
    `The other rooms see of ${name} what its index exports.`,
    { path: '^src/', pathNot: room(name) },
    // The rows' types may be taken straight from their tables.
    name === 'store'
      ? { path: '^src/store/', pathNot: [frontDoor('store'), '^src/store/tables/'] }
      : { path: `^src/${name}/`, pathNot: frontDoor(name) },
  ),
)

const doors = [
  rule(
    'tables-by-type-only',
    "A table itself comes through store's front door; only its types may be imported directly.",
    { path: '^src/', pathNot: room('store') },
    { path: '^src/store/tables/', dependencyTypesNot: ['type-only'] },
  ),
  rule(
    'elysia-only-at-the-doors',
    'A route made elsewhere would have no lock.',
    { path: '^(src|views|plugins)/', pathNot: '^src/(app/routes|http/doors|oauth/endpoints|gateway/routes)\\.tsx?$' },
    { path: 'node_modules/elysia/' },
  ),
  rule(
    'main-starts-the-cli',
    'The entry file hands over at once.',
    { path: '^src/main\\.ts$' },
    { path: '^(src|views|plugins)/', pathNot: ['^src/cli/index\\.ts$', room('lib')] },
  ),
  rule('nothing-imports-main', 'The entry file is where the program begins, no library.', {}, { path: '^src/main\\.ts$' }),
]

const neighbours = [
  rule(
    'views-are-pure',
    'A page is a function of what it is given: types of src, none of its code.',
    { path: '^views/' },
    { path: '^src/', dependencyTypesNot: ['type-only'] },
  ),
  rule(
    'pages-are-made-upstairs',
    'The rooms that hold the rules never draw.',
    { path: '^src/', pathNot: ['http', 'oauth', 'web', 'app', 'cli'].map(room) },
    { path: '^views/', dependencyTypesNot: ['type-only'] },
  ),
  rule(
    'plugins-see-only-the-api',
    'A built-in plugin has no more rights than one from outside.',
    { path: '^plugins/' },
    { path: '^(src|views)/', pathNot: '^src/plugins/api\\.ts$' },
  ),
  rule(
    'plugins-are-alone',
    'A plugin shares files with others only in the plugins folder itself.',
    { path: '^plugins/([^/]+)/' },
    { path: '^plugins/[^/]+/', pathNot: '^plugins/$1/' },
  ),
  rule(
    'plugins-by-app-only',
    'The host is handed the built-in plugins; no room knows which there are.',
    { path: '^src/', pathNot: room('app') },
    { path: '^plugins/' },
  ),
  rule(
    'program-without-workshop',
    'What ships depends on nothing that only serves the making of it.',
    { path: '^(src|views|plugins)/' },
    { path: '^(test|bench|scripts)/' },
  ),
  rule(
    'program-without-dev-packages',
    'A development package is not installed where the program runs from source.',
    { path: '^(src|views|plugins)/' },
    { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
  ),
]

const hygiene = [
  rule('no-circles', 'Files that need each other are one file, or three.', {}, { circular: true }),
  rule('no-dead-ends', 'An import that leads nowhere.', {}, { couldNotResolve: true }),
]

module.exports = {
  forbidden: [...stairs, ...frontDoors, ...doors, ...neighbours, ...hygiene],
  options: {
    // TypeScript 7 has no JavaScript API yet. swc reads the sources, type-only imports included.
    parser: 'swc',
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['bun', 'import', 'default'] },
  },
}
