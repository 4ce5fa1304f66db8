/** A tool as an app sees it, and its arguments as the server gets them. */
import type { JsonObject } from '@/plugins'
import { purposeTaken, withPurpose } from './purpose.ts'
import type { ProfileTool } from './tool.ts'

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

/** @param uriOf how the profile calls a resource of the tool's own server; MCP Apps name theirs in the tool's definition */
export function exposedDefinition(tool: ProfileTool, uriOf?: (uri: string) => string): JsonObject {
  const own = ownDefinition(tool, uriOf)
  return tool.purposeName === undefined ? own : { ...own, inputSchema: withPurpose(own['inputSchema'], tool.purposeName) }
}

/** Without what is the same for every tool of the profile. */
export function ownDefinition(tool: ProfileTool, uriOf: (uri: string) => string = (uri) => uri): JsonObject {
  const { definition, exposedName, override, feature } = tool
  if (feature === 'resource') return { ...definition, uri: exposedName }
  if (feature === 'template') return { ...definition, uriTemplate: exposedName }
  const exposed: JsonObject = { ...definition, name: exposedName }
  if (override?.title !== undefined) exposed['title'] = override.title
  if (override?.description !== undefined) exposed['description'] = override.description
  if (override?.kind !== undefined) exposed['annotations'] = annotationsOf(definition['annotations'], override.kind)
  if (override?.fixed !== undefined) exposed['inputSchema'] = without(definition['inputSchema'], Object.keys(override.fixed))
  if (override?.defaults !== undefined) exposed['inputSchema'] = withDefaults(exposed['inputSchema'], override.defaults)
  const meta = withUi(definition['_meta'], uriOf)
  if (meta !== definition['_meta']) exposed['_meta'] = meta
  return exposed
}

/** What its user corrected, so that an app asks its own questions by it too. Titles and the other hints stay as their server gave them. */
const annotationsOf = (given: unknown, kind: ProfileTool['kind']): JsonObject => ({
  ...(isObject(given) ? given : {}),
  readOnlyHint: kind === 'read',
  destructiveHint: kind === 'destructive',
})

type Arguments = { given: unknown; purpose: string | undefined }

/** As the server gets them: what is fixed wins, what the caller gives wins over a default. What the call is said to be for is apart. */
export function adjustedArguments({ override, purposeName }: ProfileTool, asked: unknown): Arguments {
  const { given, purpose } = purposeName === undefined ? { given: asked, purpose: undefined } : purposeTaken(purposeName, asked)
  if (override?.defaults === undefined && override?.fixed === undefined) return { given, purpose }
  return { given: { ...override.defaults, ...(isObject(given) ? given : {}), ...override.fixed }, purpose }
}

function without(schema: unknown, names: readonly string[]): unknown {
  if (!isObject(schema)) return schema
  const { properties, required } = schema
  const left = isObject(properties) ? Object.fromEntries(Object.entries(properties).filter(([name]) => !names.includes(name))) : properties
  const needed = Array.isArray(required) ? required.filter((name) => !names.includes(name)) : required
  return { ...schema, ...(left !== undefined && { properties: left }), ...(needed !== undefined && { required: needed }) }
}

/** The model is told, and need not give it. */
function withDefaults(schema: unknown, defaults: JsonObject): unknown {
  if (!isObject(schema) || !isObject(schema['properties'])) return schema
  const properties = Object.fromEntries(
    Object.entries(schema['properties']).map(([name, property]) => [
      name,
      Object.hasOwn(defaults, name) && isObject(property) ? { ...property, default: defaults[name] } : property,
    ]),
  )
  const required = Array.isArray(schema['required']) ? schema['required'].filter((name) => !Object.hasOwn(defaults, name)) : undefined
  return { ...schema, properties, ...(required !== undefined && { required }) }
}

function withUi(meta: unknown, uriOf: (uri: string) => string): unknown {
  const uri = uiOf(meta)
  if (uri === undefined || !isObject(meta) || uriOf(uri) === uri) return meta
  const ui = meta['ui']
  return {
    ...meta,
    ...(isObject(ui) && { ui: { ...ui, resourceUri: uriOf(uri) } }),
    ...(meta['ui/resourceUri'] !== undefined && { 'ui/resourceUri': uriOf(uri) }),
  }
}

/** The page of an MCP App that shows what this tool returns (the extension's older spelling included). */
export function uiOf(meta: unknown): string | undefined {
  if (!isObject(meta)) return undefined
  const ui = meta['ui']
  const uri = isObject(ui) && ui['resourceUri'] !== undefined ? ui['resourceUri'] : meta['ui/resourceUri']
  return typeof uri === 'string' ? uri : undefined
}
