import { isObject } from '../local-server.ts'

/** How a value is written into a request (OpenAPI 3.1, "Style Values"; RFC 6570 underneath). */
export type Style = { name: string; style: string; explode: boolean; allowReserved?: boolean }

/** RFC 3986: unreserved characters stay, everything else is percent-encoded. */
const strict = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
/** Reserved characters stay as well, but not those that would end the value or the query. */
const reserved = (text: string): string =>
  strict(text).replace(/%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B|3D)/g, (encoded) => decodeURIComponent(encoded))

const textOf = (value: unknown): string => {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

const flat = (value: object, encode: (text: string) => string): string[] =>
  Object.entries(value).flatMap(([name, each]) => [encode(name), encode(textOf(each))])
const pairs = (value: object, encode: (text: string) => string): string[] =>
  Object.entries(value).map(([name, each]) => `${encode(name)}=${encode(textOf(each))}`)

/** Pairs `name=value`, ready to be joined with `&`. */
export function queryPairs({ name, style, explode, allowReserved = false }: Style, value: unknown): string[] {
  const encode = allowReserved ? reserved : strict
  const key = strict(name)
  if (style === 'deepObject' && isObject(value)) return deepPairs(key, value, encode)
  if (Array.isArray(value)) {
    const items = value.map((each) => encode(textOf(each)))
    if (explode) return items.map((item) => `${key}=${item}`)
    return items.length === 0 ? [] : [`${key}=${items.join(separatorOf(style))}`]
  }
  if (isObject(value)) {
    if (explode && style === 'form') return pairs(value, encode)
    return [`${key}=${flat(value, encode).join(separatorOf(style))}`]
  }
  return [`${key}=${encode(textOf(value))}`]
}

function separatorOf(style: string): string {
  if (style === 'spaceDelimited') return '%20'
  return style === 'pipeDelimited' ? '%7C' : ','
}

/** The specification says nothing of deeper levels; brackets all the way is what servers understand. */
function deepPairs(key: string, value: object, encode: (text: string) => string): string[] {
  return Object.entries(value).flatMap(([name, each]) => {
    const inner = `${key}%5B${strict(name)}%5D`
    if (Array.isArray(each)) return each.map((item) => `${inner}=${encode(textOf(item))}`)
    return isObject(each) ? deepPairs(inner, each, encode) : [`${inner}=${encode(textOf(each))}`]
  })
}

export function pathText({ name, style, explode }: Style, value: unknown): string {
  const key = strict(name)
  const prefix = style === 'label' ? '.' : style === 'matrix' ? ';' : ''
  if (Array.isArray(value)) {
    const items = value.map((each) => strict(textOf(each)))
    if (style === 'matrix') return explode ? items.map((item) => `;${key}=${item}`).join('') : `;${key}=${items.join(',')}`
    return prefix + items.join(style === 'label' && explode ? '.' : ',')
  }
  if (isObject(value)) {
    if (style === 'matrix')
      return explode
        ? pairs(value, strict)
            .map((pair) => `;${pair}`)
            .join('')
        : `;${key}=${flat(value, strict).join(',')}`
    return prefix + (explode ? pairs(value, strict) : flat(value, strict)).join(style === 'label' && explode ? '.' : ',')
  }
  return style === 'matrix' ? `;${key}=${strict(textOf(value))}` : prefix + strict(textOf(value))
}

/** Header values are not percent-encoded. */
export function headerText({ explode }: Style, value: unknown): string {
  const asIs = (text: string) => text
  if (Array.isArray(value)) return value.map(textOf).join(',')
  if (isObject(value)) return (explode ? pairs(value, asIs) : flat(value, asIs)).join(',')
  return textOf(value)
}

export const cookiePairs = (style: Style, value: unknown): string[] => queryPairs({ ...style, style: 'form' }, value)

export { textOf }
