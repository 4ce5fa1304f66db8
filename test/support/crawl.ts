import type { Page, createPerson } from '../../bench/person.ts'

const PAGES_MAX = 400

/** Every page of ours that links lead to from `starts`, opened once by this person. */
export async function crawl(person: ReturnType<typeof createPerson>, origin: string, starts: readonly string[] = ['/']): Promise<Page[]> {
  const seen = new Set(starts)
  const waiting = [...starts]
  const pages: Page[] = []
  for (let path = waiting.shift(); path !== undefined && pages.length < PAGES_MAX; path = waiting.shift()) {
    const page = await person.open(path)
    pages.push(page)
    for (const link of linksIn(page.html)) {
      const url = URL.parse(link, page.url)
      if (url === null || url.origin !== origin) continue
      const next = url.pathname + url.search
      // Assets and files to take away are no pages, and a filter of a list has as many addresses as it has values.
      if (seen.has(next) || next.startsWith('/assets/') || url.pathname === '/activity/export' || url.searchParams.size > 1) continue
      seen.add(next)
      waiting.push(next)
    }
  }
  return pages
}

function linksIn(html: string): string[] {
  const links: string[] = []
  const take = (element: HTMLRewriterTypes.Element, name: string) => {
    const value = element.getAttribute(name)
    if (value !== null) links.push(value.replaceAll('&amp;', '&'))
  }
  new HTMLRewriter()
    .on('a[href]', { element: (element) => take(element, 'href') })
    .on('[hx-get]', { element: (element) => take(element, 'hx-get') })
    .transform(html)
  return links
}
