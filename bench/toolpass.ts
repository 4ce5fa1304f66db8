/** Toolpass as a program that runs: started on a data folder, asked until it answers, ended. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createPerson } from './person.ts'
import { familyOf } from './proc.ts'
import { freePort, makeFolder, start, type Started, stop, waitFor } from './processes.ts'

export type Toolpass = Started & { origin: string; folder: string; program: string }
export type Person = ReturnType<typeof createPerson>

const root = resolve(import.meta.dir, '..')
const executable = join(root, 'dist/toolpass')
const PATIENCE_MS = 15_000
const PASSWORD = 'a long password for a short life'

/** The sources, where nothing was built. */
export const program = existsSync(executable) ? 'dist/toolpass' : 'src/main.ts'

export type Place = { folder: string; port: number; env?: Record<string, string> }

/** Starts it and does not wait. */
export function launchToolpass({ folder, port, env }: Place) {
  return start(program === 'dist/toolpass' ? [executable, 'serve'] : [process.execPath, join(root, program), 'serve'], {
    TOOLPASS_PORT: String(port),
    TOOLPASS_DATA_DIR: folder,
    TOOLPASS_LOG_LEVEL: 'warn',
    TOOLPASS_ADMIN_USERNAME: 'bench',
    TOOLPASS_ADMIN_PASSWORD: PASSWORD,
    ...env,
  })
}

/** Starts it and waits until it answers. A large data folder is checked first, which takes its time. */
export async function startToolpass(place: Place, patienceMs = PATIENCE_MS): Promise<Toolpass> {
  const child = launchToolpass(place)
  const origin = `http://localhost:${place.port}`
  try {
    await waitFor(`${origin}/healthz`, patienceMs)
  } catch (error) {
    await stop(child)
    throw error
  }
  return { port: place.port, origin, folder: place.folder, program, pids: () => familyOf(child.pid), stop: () => stop(child) }
}

export async function signIn(origin: string): Promise<Person> {
  const person = createPerson(origin)
  await person.submit(await person.open('/login'), '/login', { username: 'bench', password: PASSWORD })
  return person
}

/** On an empty data folder that goes with it, with somebody signed in. */
export async function openToolpass(env: Record<string, string> = {}): Promise<Toolpass & { person: Person }> {
  const { folder, remove } = makeFolder('data')
  const toolpass = await startToolpass({ folder, port: await freePort(), env })
  const end = async () => {
    await toolpass.stop()
    remove()
  }
  try {
    return { ...toolpass, person: await signIn(toolpass.origin), stop: end }
  } catch (error) {
    await end()
    throw error
  }
}
