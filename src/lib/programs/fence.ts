import { ptr } from 'bun:ffi'
import { closeSync, constants, lstatSync, openSync, readdirSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import type { Kernel } from './kernel.ts'

/**
 * Landlock knows grants only, so "everything but our data folder" is spelt as grants: on the way down from the root to each
 * hidden path, every neighbour of the path is granted whole, the path itself is not. What follows from it: a program can
 * list all folders (names are granted at the root), cannot read or write a file below a hidden path, and cannot make new
 * entries directly in the folders on the way down. A UNIX socket can still be connected to: Landlock does not govern that, so
 * a socket of ours must ask for a secret that lies in a hidden file. https://docs.kernel.org/userspace-api/landlock.html
 */
export type Fence = {
  /** Absolute and real (no symlinks): folders and files of ours. */
  hidden: readonly string[]
  /** Folders below a hidden path that belong to this program all the same. */
  own: readonly string[]
}

const CREATE_RULESET_VERSION = 1
const RULE_PATH_BENEATH = 1
const SCOPE_SIGNAL = 2

const EXECUTE = 1 << 0
const WRITE_FILE = 1 << 1
const READ_FILE = 1 << 2
const READ_DIR = 1 << 3
const REFER = 1 << 13
const TRUNCATE = 1 << 14
const RIGHTS_SINCE_1 = (1 << 13) - 1
/** Rights that make sense on a file that is no folder; the kernel refuses the others there. */
const FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE

/** Beyond this the rest of a crowded folder is left out, which errs on the safe side. */
const GRANTS_MAX = 20_000
const DEVICES = '/dev'
/** Whole memory and whole disks hold our files as well; reachable where the house runs as root. */
const RAW_MEMORY = new Set(['/dev/mem', '/dev/kmem', '/dev/port'])
const O_PATH = 0x20_0000

/** 0 where the kernel has none, or where it is switched off. */
export const landlockVersion = (kernel: Kernel): number => Math.max(0, kernel.call('createRuleset', 0, 0, CREATE_RULESET_VERSION))

/** Shuts in the calling thread and what it executes. False when the kernel cannot; then nothing has changed. */
export function raiseFence(kernel: Kernel, fence: Fence): boolean {
  const version = landlockVersion(kernel)
  if (version < 1) return false
  const rights = RIGHTS_SINCE_1 | (version >= 2 ? REFER : 0) | (version >= 3 ? TRUNCATE : 0)
  // struct landlock_ruleset_attr { handled_access_fs, handled_access_net, scoped }: older kernels know less of it.
  const attributes = new BigUint64Array([BigInt(rights), 0n, version >= 6 ? BigInt(SCOPE_SIGNAL) : 0n])
  const ruleset = kernel.call('createRuleset', ptr(attributes), version >= 6 ? 24 : version >= 4 ? 16 : 8, 0)
  if (ruleset < 0) return false
  const grant = (path: string, wanted: number) => addGrant(kernel, ruleset, path, wanted & rights)
  grant(sep, READ_DIR)
  for (const path of grantsAround(fence.hidden)) grant(path, rights)
  for (const path of fence.own) grant(path, rights)
  const raised = kernel.call('restrictSelf', ruleset, 0) === 0
  closeSync(ruleset)
  return raised
}

/** All neighbours of the ways from the root to the hidden paths. Symlinks are left out: what they point to has its own grant. */
function grantsAround(hidden: readonly string[]): string[] {
  const ways = new Set([...hidden.flatMap(ancestorsOf), DEVICES])
  const grants: string[] = []
  for (const folder of ways) {
    for (const entry of namesIn(folder)) {
      const path = join(folder, entry)
      if (ways.has(path) || hidden.includes(path) || RAW_MEMORY.has(path)) continue
      // A hidden path inside another has its whole surroundings hidden already.
      if (hidden.some((outer) => path.startsWith(outer + sep))) continue
      if (grants.length >= GRANTS_MAX) return grants
      grants.push(path)
    }
  }
  return grants
}

function ancestorsOf(path: string): string[] {
  const above = dirname(path)
  return above === path ? [] : [above, ...ancestorsOf(above)]
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function addGrant(kernel: Kernel, ruleset: number, path: string, rights: number): void {
  let fd: number
  let allowed = rights
  try {
    const stats = lstatSync(path)
    if (stats.isSymbolicLink() || stats.isBlockDevice()) return
    if (!stats.isDirectory()) allowed &= FILE_RIGHTS
    // NOFOLLOW besides: whoever swaps the entry for a symlink in between must not get a grant on its target.
    fd = openSync(path, O_PATH | constants.O_NOFOLLOW)
  } catch {
    return
  }
  // struct landlock_path_beneath_attr { __u64 allowed_access; __s32 parent_fd; } packed: 12 bytes.
  const rule = Buffer.alloc(12)
  rule.writeBigUInt64LE(BigInt(allowed), 0)
  rule.writeInt32LE(fd, 8)
  kernel.call('addRule', ruleset, RULE_PATH_BENEATH, ptr(rule), 0)
  closeSync(fd)
}
