import { runProgramEntry } from '@/lib/programs/entry.ts'

/** Stands in for src/main.ts, which does this first: the house started anew in order to become a program. */
runProgramEntry()
