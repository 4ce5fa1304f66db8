/** Programs that run here, as administrators see them. */
import type { Html } from '@views/jsx-runtime'
import type { Protection } from '@views/parts/protections.tsx'
import { type ProgramRow, ProgramsPage } from '@views/programs.tsx'
import { EVIL, LONG, now, shell, toasted } from './samples.ts'

export const protections: readonly Protection[] = [
  { name: 'No shell', active: true, detail: 'Arguments reach the program as they are.' },
  {
    name: 'Clean environment',
    active: true,
    detail: 'It sees the variables of its connection, a home and a temporary folder of its own, and nothing of Toolpass.',
  },
  {
    name: 'Files of Toolpass out of reach',
    active: true,
    detail: 'The data folder and the folders of other programs cannot be opened (Landlock). Other files of this account can.',
  },
  {
    name: 'No signals to other programs',
    active: false,
    detail: 'It should end nothing but its own children. This system offers no such protection.',
  },
]

const row = (id: number, more: Partial<ProgramRow>): ProgramRow => ({
  connection: { id: `con_${id}`, name: 'Files' },
  seen: true,
  user: { id: 'usr_1', name: 'kim' },
  command: 'npx -y @modelcontextprotocol/server-filesystem /srv/documents',
  pid: 41_200 + id,
  since: now - id * 600_000,
  memoryBytes: 84_000_000,
  memoryMb: 2_048,
  processes: 1,
  use: { inFlight: 0, usedAt: now - 40_000 },
  ...more,
})

export const programPages: Record<string, Html> = {
  programs: (
    <ProgramsPage
      shell={toasted}
      running={[
        row(1, {}),
        row(2, {
          connection: { id: 'con_2', name: 'Browser' },
          command: 'npx -y @playwright/mcp',
          processes: 9,
          memoryBytes: 1_620_000_000,
          use: { inFlight: 2, usedAt: now },
        }),
        row(3, {
          connection: { id: 'con_3', name: EVIL + LONG },
          seen: false,
          user: { id: 'usr_2', name: LONG.slice(0, 64) },
          command: LONG,
          use: undefined,
        }),
      ]}
      resting={[
        {
          connection: { id: 'con_4', name: 'Weather' },
          seen: true,
          user: { id: 'usr_1', name: 'kim' },
          until: now + 8_000,
          problem: 'The program ended by itself (exit code 1). A part of it is missing; check the name of the package or module.',
        },
      ]}
      protections={protections}
      members={[
        { id: 'usr_2', username: 'noor', allowed: true },
        { id: 'usr_3', username: LONG.slice(0, 64), allowed: false },
      ]}
      commands={['npx', 'javascript']}
      idleSeconds={600}
      form={{ values: { commands: 'npx -y' }, errors: { commands: '“npx -y” must be a name or a full path, without arguments.' } }}
    />
  ),
  'programs-none': (
    <ProgramsPage shell={shell} running={[]} resting={[]} protections={protections} members={[]} commands={[]} idleSeconds={45} />
  ),
}
