/**
 * Tasks of upstreams: what goes on after its request was answered (2025-11-25 "Tasks", 2026-07-28 the extension of that name). A task is
 * named to the client by an id of ours that says whose it is and where it runs, so nothing is kept, and nobody else's id is worth anything.
 */
import { META_RELATED_TASK } from '@/lib/meta-keys.ts'
import type { JsonObject } from '@/plugins'
import type { Caller } from './caller.ts'
import { isObject } from './messages.ts'
import type { States } from './states.ts'
import type { Target } from './targets.ts'

const RELATED = META_RELATED_TASK

export function createTasks({ states }: { states: States }) {
  const idFor = (taskId: string, { tool, connectionId }: Pick<Target, 'tool' | 'connectionId'>, caller: Caller) =>
    states.sealTask({ connectionId, toolId: tool.toolId, taskId }, caller.grant.id)
  /** The same result with our id wherever the upstream's stands. */
  const renamed = (result: JsonObject, from: string, to: string): JsonObject => {
    const task = result['task']
    const meta = result['_meta']
    const related = isObject(meta) ? meta[RELATED] : undefined
    return {
      ...result,
      ...(result['taskId'] === from && { taskId: to }),
      ...(isObject(task) && task['taskId'] === from && { task: { ...task, taskId: to } }),
      ...(isObject(meta) && isObject(related) && { _meta: { ...meta, [RELATED]: { ...related, taskId: to } } }),
    }
  }
  return {
    renamed,
    /** A call's result, which may be that a task has begun. */
    exposed(result: JsonObject, target: Target, caller: Caller): JsonObject {
      const task = result['task']
      const id = result['resultType'] === 'task' ? result['taskId'] : isObject(task) ? task['taskId'] : undefined
      return typeof id === 'string' ? renamed(result, id, idFor(id, target, caller)) : result
    },
  }
}
export type Tasks = ReturnType<typeof createTasks>
