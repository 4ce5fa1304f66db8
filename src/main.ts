#!/usr/bin/env bun
import { runProgramEntry } from './lib/programs/entry.ts'

// A start of ours may be meant for a program of a stdio connection; it must not pay for loading the house.
runProgramEntry()
const { run } = await import('./cli/index.ts')
await run(process.argv.slice(2))
