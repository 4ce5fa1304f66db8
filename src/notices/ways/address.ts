import { Failure } from '@/lib/failure.ts'
import { demandUrl } from '@/lib/outbound-guard.ts'
import { OutboundError } from '@/lib/outbound-error.ts'

/** Whether it may be reached is asked at each sending, by the way out itself. @throws Failure `invalid_form` */
export function demandAddress(text: string, field: string): URL {
  try {
    const url = demandUrl(text.trim())
    url.hash = ''
    return url
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error
    throw new Failure('invalid_form', { fields: { [field]: error.message } })
  }
}
