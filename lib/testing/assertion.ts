/** What `assert` of every runner throws, by its name and its fields: runners print both sides of it. */
export function assertionError(message: string, actual?: unknown, expected?: unknown): Error {
  const error = Object.assign(new Error(message), { code: 'ERR_ASSERTION', actual, expected });
  error.name = 'AssertionError';
  return error;
}
