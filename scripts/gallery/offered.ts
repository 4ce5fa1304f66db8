/** Made-up prompts and resources, few and many, honest and not. */
import type { ProfileTool } from '@views/profile-tools.tsx'
import type { ConsentTool } from '@views/consent-tools.tsx'
import type { UpstreamOther } from '@views/connection.tsx'
import { EVIL, LONG } from './samples-text.ts'

const other = (feature: UpstreamOther['feature'], name: string, title?: string, description = ''): UpstreamOther => ({
  ...{ feature, name, title, description },
  isEvery: false,
})
export const every: UpstreamOther = { ...other('resource', '*', 'Every resource', 'Also those that its server adds later.'), isEvery: true }
export const prompts = [
  other('prompt', 'summarize_issue', 'Summarize an issue', 'Writes a summary of one issue for people who were not there.'),
  other('prompt', 'plan_week', undefined, 'Plans a week from open issues.'),
]
export const resources = [
  other('resource', 'linear://teams', 'Teams', 'The teams of this workspace, as JSON.'),
  other('resource', `file:///srv/shared/projects/2026/${LONG}/notes/meeting-with-the-whole-team.md`, undefined, 'Notes.'),
  other('resource', `ui://${EVIL}/${LONG}`, EVIL, `${EVIL} ${LONG}`),
  other('template', 'linear://issues/{id}/comments{?page}', 'Comments of an issue', 'All comments of one issue.'),
]
export const manyOthers: UpstreamOther[] = [
  ...Array.from({ length: 40 }, (_, at) => other('prompt', `prompt_${at}_for_something`, `Prompt ${at}`, 'Writes something.')),
  ...Array.from({ length: 300 }, (_, at) =>
    other('resource', `file:///srv/shared/projects/2026/part-${at}/notes/${LONG}.md`, `Notes ${at}`),
  ),
]

export const pickerRow = (item: UpstreamOther, at: number, selected: boolean): ProfileTool => ({
  ...item,
  id: `tol_o${at}`,
  exposedName: item.name,
  kind: 'read',
  contextCost: 0,
  selected,
  saved: selected,
})
export const consentRow = (item: UpstreamOther, at: number, on = true): ConsentTool => ({
  ...item,
  id: `tol_s${at}`,
  exposedName: item.name,
  connection: 'Linear',
  kind: 'read',
  contextCost: 0,
  on,
})
export const others = [...prompts, every, ...resources]
