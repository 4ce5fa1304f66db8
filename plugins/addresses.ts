import { z } from '@/plugins/api.ts'

/** The settings of a server that is reached by its address. */
export const urlSetting = (description: string, placeholder: string) =>
  z
    .url({ protocol: /^https?$/, error: 'This is no http or https address.' })
    .max(2048)
    .meta({ title: 'Address', description, placeholder })

export const headersSetting = () =>
  z
    .record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/), z.string().max(16_384))
    .default({})
    .meta({ title: 'Headers', description: 'Sent with each request, such as an API key.', secret: true })

export const lowerCased = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
