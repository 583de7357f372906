// What a generated document is: a file of the repository and the text it must have.
export interface Generator {
  /** From the root of the repository. */
  readonly file: string
  render(): string | Promise<string>
}
