/** People with an account here, their passwords, browser sessions and one-time links. */
export { createUsers, type Actor, type From, type Login, type Role, type User, type Users } from './users.ts'
export { MINIMUM_PASSWORD_LENGTH } from './passwords.ts'
export type { Session, Sessions } from './sessions.ts'
