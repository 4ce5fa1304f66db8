/**
 * The context cost of a text in a model, estimated. Tokenizers differ by model and a vocabulary weighs megabytes; for JSON
 * and English prose, four bytes a unit is within a fifth of the common ones, which is enough to compare tools and to add up a profile.
 */
const BYTES_PER_UNIT = 4

export const contextCost = (value: unknown): number =>
  Math.ceil(Buffer.byteLength(typeof value === 'string' ? value : (JSON.stringify(value) ?? '')) / BYTES_PER_UNIT)
