/**
 * What a function of the policy made for a header, where a header may hold it: printable ASCII, without blanks around it.
 *
 * @param option the name of that function, for the error
 * @throws {TypeError} where it made anything else
 */
export function headerValue(made: unknown, option: string): string {
  // axios takes line breaks out of a value, and blanks from around it, without a word. The server would see another value.
  if (typeof made === 'string' && /^[\x20-\x7e]+$/.test(made) && made.trim() === made) return made;
  throw new TypeError(`${option} must give a string of printable ASCII, without blanks around it`);
}
