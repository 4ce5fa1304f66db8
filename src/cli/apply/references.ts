/** Secrets are named in the file, never written into it: by a variable of the environment, or by a file. */
import { closeSync, openSync, readSync } from 'node:fs'
import { resolve } from 'node:path'
import type { JsonObject } from '@/plugins'
import type { Declared, Manifest, Problem } from './shape.ts'

const SECRET_BYTES_MAX = 64 * 1024
const DEPTH_MAX = 4

export type Sources = {
  env: Record<string, string | undefined> /** Paths are meant from here: the folder of the declaration. */
  folder: string
}

const HOW = 'name it instead: { env: VARIABLE } or { file: path }.'
const WORDS = new Set(['env', 'file', 'value', 'prefix'])

/** Follows every reference. @returns what the house is told, or each reference that leads nowhere */
export function follow(declared: Declared, sources: Sources): { manifest: Manifest } | { problems: Problem[] } {
  const problems: Problem[] = []
  const read = (value: unknown, path: Problem['path']): unknown => {
    const found = treeOf(value, path, sources)
    if (Array.isArray(found)) problems.push(...found)
    else return found.value
    return undefined
  }
  const users = declared.users.map(({ password, ...user }, at) => {
    if (password === undefined) return user
    const path = ['users', at, 'password']
    if (!isReference(password)) problems.push({ path, message: `is a secret and is not written here; ${HOW}` })
    else return { ...user, password: read(password, path) as string }
    return user
  })
  const connections = declared.connections.map(({ secrets, ...connection }, at) => ({
    ...connection,
    secrets: read(secrets, ['connections', at, 'secrets']) as JsonObject,
  }))
  return problems.length > 0 ? { problems } : { manifest: { ...declared, users, connections } }
}

/** A tree of references as the tree of their values. */
function treeOf(value: unknown, path: Problem['path'], sources: Sources): { value: unknown } | Problem[] {
  if (isReference(value)) return fetchOne(value, path, sources)
  if (typeof value !== 'object' || value === null || path.length > DEPTH_MAX + 3)
    return [{ path, message: `is a secret and is not written here; ${HOW}` }]
  const problems: Problem[] = []
  const read = (each: unknown, key: string | number) => {
    const found = treeOf(each, [...path, key], sources)
    if (Array.isArray(found)) problems.push(...found)
    else return found.value
    return undefined
  }
  const whole = Array.isArray(value)
    ? value.map((each, at) => read(each, at))
    : Object.fromEntries(Object.entries(value).map(([key, each]) => [key, read(each, key)]))
  return problems.length > 0 ? problems : { value: whole }
}

/** A variable or header may itself be called `env`; what it holds is then a reference, no text. */
function isReference(value: unknown): value is JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const entries = Object.entries(value)
  const isNamed = entries.some(([key]) => key === 'env' || key === 'file' || key === 'value')
  return isNamed && entries.every(([key, each]) => WORDS.has(key) && (typeof each !== 'object' || each === null))
}

function fetchOne(reference: JsonObject, path: Problem['path'], { env, folder }: Sources): { value: string } | Problem[] {
  const refuse = (message: string) => [{ path, message }]
  if (Object.hasOwn(reference, 'value')) return refuse(`is a secret, and { value: … } would keep it in this file; ${HOW}`)
  const { env: variable, file, prefix = '' } = reference
  if (variable !== undefined && file !== undefined) return refuse('names both a variable and a file; one of them is enough.')
  if (typeof prefix !== 'string') return refuse('has a prefix that is no text; put it in quotes.')
  if (typeof (variable ?? file) !== 'string') return refuse('must name a variable or a file as text.')
  if (typeof variable === 'string') {
    const held = env[variable]
    return held ? { value: prefix + held } : refuse(`names the variable ${variable}, which is not set.`)
  }
  const name = file as string
  const text = readText(resolve(folder, name), SECRET_BYTES_MAX)
  if ('problem' in text) return refuse(`names the file ${name}, which ${text.problem}`)
  const held = text.text.replace(/\r?\n$/, '')
  return held === '' ? refuse(`names the file ${name}, which is empty.`) : { value: prefix + held }
}

/** A text of limited size, however much there is: a device has no end. */
export function readText(path: string, bytesMax: number): { text: string } | { problem: string } {
  let handle: number | undefined
  try {
    handle = openSync(path, 'r')
    const bytes = Buffer.alloc(bytesMax + 1)
    let filled = 0
    for (let got = -1; got !== 0 && filled < bytes.length; filled += got) got = readSync(handle, bytes, filled, bytes.length - filled, null)
    if (filled > bytesMax) return { problem: `is larger than ${bytesMax / 1024} KB.` }
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, filled)) }
  } catch (error) {
    if (error instanceof TypeError) return { problem: 'is no text in UTF-8.' }
    const code = (error as NodeJS.ErrnoException).code
    return { problem: code === 'ENOENT' ? 'does not exist.' : 'cannot be read.' }
  } finally {
    if (handle !== undefined) closeSync(handle)
  }
}
