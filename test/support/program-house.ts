import { runProgramEntry } from '@/lib/programs/entry.ts'
import { createPrograms } from '@/lib/programs.ts'

/**
 * A house that only runs programs, to be compiled or killed: starts what the JSON in HOUSE_PLAN says, prints the program's
 * pid and then what it writes, and lives until its stdin ends or it is killed.
 */
runProgramEntry()
const { dataDir, command, args, ending } = JSON.parse(process.env['HOUSE_PLAN'] ?? '{}')
const executable = Bun.isStandaloneExecutable ? [process.execPath] : [process.execPath, import.meta.path]
const programs = createPrograms({ executable, dataDir, environment: process.env })
const program = await programs.start({ command, args, env: {}, key: 'con_house' })
process.stdout.write(`pid ${program.pid}\n`)
for await (const chunk of program.stdout) process.stdout.write(chunk)
process.stderr.write(await new Response(program.stderr).text())
const { code } = await program.exited
if (ending !== 'exit') await programs.close()
process.exit(code ?? 1)
