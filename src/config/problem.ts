/** A wrong or unknown setting: one clear sentence for the terminal. */
export class ConfigProblem extends Error {
  override readonly name = 'ConfigProblem'
}
