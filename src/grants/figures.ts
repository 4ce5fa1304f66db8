/** Numbers as they stand in sentences for people. */
export const figure = (count: number): string => count.toLocaleString('en-US')

/** "1 call", "1,200 calls". */
export const counted = (count: number, one: string): string => `${figure(count)} ${count === 1 ? one : `${one}s`}`
