/** Source tree or compiled executable, decided once: where the files that ship with the program are. */
import { join, resolve } from 'node:path'

/** True in `dist/toolpass`, false under `bun src/main.ts`. */
export const isExecutable: boolean = Bun.isStandaloneExecutable

// In the executable every module sits in the virtual root, beside the folders that the build embeds.
const root = isExecutable ? import.meta.dir : resolve(import.meta.dir, '../..')

export const shipped = (path: string): string => join(root, path)

/** How to start this program again: the executable itself, or bun with our entry file. */
export const ourselves = (): readonly string[] => (isExecutable ? [process.execPath] : [process.execPath, join(root, 'src/main.ts')])
