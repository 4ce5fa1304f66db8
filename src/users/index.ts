/** People with an account here, their passwords, browser sessions and one-time links. */
export { demandUsername } from './accounts.ts'
export { demandUsable, MINIMUM_PASSWORD_LENGTH } from './passwords.ts'
export type { Session } from './sessions.ts'
export type { Actor, From, Login, User } from './types.ts'
export { createUsers, type Users } from './users.ts'
