/** What a user bundles for their apps: a virtual server with tools of several connections under names that never collide. */
export { clientLimits, type ClientLimit } from './limits.ts'
export { exposedNames, type NamedTool } from './naming.ts'
export { createProfiles, type Profiles } from './profiles.ts'
export type { Profile } from './rows.ts'
export type { ProfileTool, ProfileView } from './view.ts'
