/** Who may have programs run on this machine, and which: an administrator's decision, taken once for the house. */
import type { Audit } from '@/audit'
import { Failure } from '@/lib/failure.ts'
import type { UserId } from '@/lib/ids.ts'
import type { Connector, JsonObject } from '@/plugins'
import { programPolicy, type Store } from '@/store'
import type { User } from '@/users'

export type ProgramPolicy = {
  /** Members who may, beside administrators. */
  users: readonly UserId[]
  /** Names or full paths, exactly as a connection has to write them; null is any. */
  commands: readonly string[] | null
}
type Asker = Pick<User, 'id' | 'role'>
type Asked = { command?: string; variables?: readonly string[] }
export type Verdict = 'yes' | 'not-this-user' | 'not-this-command' | 'not-this-variable'

const ANYBODY: ProgramPolicy = { users: [], commands: null }
const COMMANDS_MAX = 200
const COMMAND_CHARS_MAX = 1024

/**
 * Variables by which a loader or a runtime takes in other code. Where only listed programs may start, one of these would make
 * any program out of a listed one.
 */
const SMUGGLERS = new Set([
  ...['PATH', 'NODE_OPTIONS', 'NODE_PATH', 'BASH_ENV', 'ENV', 'RUBYOPT', 'RUBYLIB', 'PERL5OPT', 'PERL5LIB', 'PERL5DB'],
  ...['PYTHONPATH', 'PYTHONHOME', 'PYTHONSTARTUP', 'PYTHONINSPECT', 'JAVA_TOOL_OPTIONS', 'JDK_JAVA_OPTIONS', '_JAVA_OPTIONS'],
  ...['DOTNET_STARTUP_HOOKS', 'CORECLR_PROFILER_PATH', 'GIT_SSH_COMMAND', 'GIT_EXEC_PATH'],
])
const SMUGGLING_PREFIXES = ['LD_', 'DYLD_', 'BUN_']
const isSmuggler = (name: string): boolean =>
  SMUGGLERS.has(name.toUpperCase()) || SMUGGLING_PREFIXES.some((prefix) => name.toUpperCase().startsWith(prefix))

/** Pure, and asked at the form and again at each start, so that what was allowed once does not run for ever. */
export function mayDefine(user: Asker, policy: ProgramPolicy, { command, variables = [] }: Asked = {}): Verdict {
  if (user.role !== 'admin' && !policy.users.includes(user.id)) return 'not-this-user'
  if (command === undefined || policy.commands === null) return 'yes'
  if (!policy.commands.includes(command)) return 'not-this-command'
  return variables.some(isSmuggler) ? 'not-this-variable' : 'yes'
}

/** Whoever may not define programs must not redefine one by the variables that they give it as their credential. */
const mayGive = (giver: Asker, policy: ProgramPolicy, { variables = [] }: Asked): boolean =>
  mayDefine(giver, policy) === 'yes' || !variables.some(isSmuggler)

/** Whose connection it is, and whose credential it runs with. */
type Parties = { owner: Asker | undefined; giver: Asker | undefined }

const runsHere = (connector: Connector): boolean => connector.definedBy === 'administrator'
const askedIn = ({ command, env }: JsonObject): Asked => ({
  ...(typeof command === 'string' && { command }),
  variables: typeof env === 'object' && env !== null ? Object.keys(env) : [],
})
const VARIABLE_REFUSED = 'Where only listed programs may run, a variable that loads other code into them is refused.'

const GIFT_REFUSED = 'One of these variables would load other code into the program; only those who may define programs can set it.'

export function createProgramPolicy({ store, audit }: { store: Store; audit: Audit }) {
  // Asked at each start of a program; one process owns the data folder, so nobody else changes it.
  let known: ProgramPolicy | undefined
  const get = async (): Promise<ProgramPolicy> => (known ??= (await store.read.select().from(programPolicy))[0] ?? ANYBODY)

  return {
    get,
    /** Whether they may define any program at all. */
    mayDefineAny: async (user: Asker): Promise<boolean> => mayDefine(user, await get()) === 'yes',

    /** @throws Failure `administrators_only`, `invalid_form` */
    async demand(user: Asker, connector: Connector, settings: JsonObject): Promise<void> {
      if (!runsHere(connector)) return
      const asked = askedIn(settings)
      const verdict = mayDefine(user, await get(), asked)
      if (verdict === 'not-this-user') throw new Failure('administrators_only')
      if (verdict === 'not-this-command') throw new Failure('invalid_form', { fields: { 'settings.command': notListed(asked.command) } })
      if (verdict === 'not-this-variable') throw new Failure('invalid_form', { fields: { 'settings.env': VARIABLE_REFUSED } })
    },

    /** Of somebody's own variables for a program that another one defined. @throws Failure `invalid_form` */
    async demandVariables(giver: Asker, connector: Connector, settings: JsonObject): Promise<void> {
      if (runsHere(connector) && !mayGive(giver, await get(), askedIn(settings)))
        throw new Failure('invalid_form', { fields: { 'settings.env': GIFT_REFUSED } })
    },

    /** Why a connection that exists may not start its program now, in one sentence; undefined when it may. */
    async refusal({ owner, giver }: Parties, connector: Connector, settings: JsonObject): Promise<string | undefined> {
      if (!runsHere(connector)) return undefined
      const asked = askedIn(settings)
      const policy = await get()
      const verdict = owner === undefined ? 'not-this-user' : mayDefine(owner, policy, asked)
      if (giver === undefined || !mayGive(giver, policy, asked)) return GIFT_REFUSED
      if (verdict === 'not-this-user') return 'Its owner may not run programs here any more; an administrator can allow it.'
      if (verdict === 'not-this-command') return notListed(asked.command)
      return verdict === 'yes' ? undefined : VARIABLE_REFUSED
    },

    /** @throws Failure `administrators_only`, `invalid_form` */
    async set(by: User, asked: { users: readonly UserId[]; commands: readonly string[] }): Promise<void> {
      if (by.role !== 'admin') throw new Failure('administrators_only')
      const policy = { id: 'house' as const, users: [...new Set(asked.users)], commands: demandCommands(asked.commands) }
      await store.transact(async (tx) => {
        await tx.insert(programPolicy).values(policy).onConflictDoUpdate({ target: programPolicy.id, set: policy })
        await audit.report(
          { kind: 'admin', action: 'program.policy', outcome: 'ok', userId: by.id, userName: by.username, subject: inWords(policy) },
          tx,
        )
      })
      known = policy
    },
  }
}
export type ProgramPolicies = ReturnType<typeof createProgramPolicy>

const notListed = (command = ''): string =>
  `“${command.slice(0, 100)}” is not among the programs that an administrator allowed to run here.`

function demandCommands(lines: readonly string[]): string[] | null {
  const commands = [...new Set(lines.map((line) => line.trim()).filter(Boolean))]
  const refuse = (sentence: string): never => {
    throw new Failure('invalid_form', { fields: { commands: sentence } })
  }
  if (commands.length > COMMANDS_MAX) refuse(`At most ${COMMANDS_MAX} programs can be listed.`)
  for (const command of commands) {
    if (command.length > COMMAND_CHARS_MAX) refuse('One of the lines is too long.')
    if (command.includes('/') ? !command.startsWith('/') : /\s/.test(command))
      refuse(`“${command.slice(0, 100)}” must be a name or a full path, without arguments.`)
  }
  return commands.length === 0 ? null : commands
}

const inWords = ({ users, commands }: ProgramPolicy): string => {
  const who = users.length === 0 ? 'administrators only' : `administrators and ${users.length} of the members`
  return commands === null ? `${who}; any program` : `${who}; ${commands.join(', ')}`.slice(0, 500)
}
