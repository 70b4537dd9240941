/**
 * What a caller's function made for a header, if a header may hold it.
 *
 * @throws {TypeError} naming the option that made it
 */
export function headerValue(made: unknown, option: string): string {
  // Line breaks and blanks around a header's value are stripped in silence, and the server would see another one.
  if (typeof made === 'string' && /^[\x20-\x7e]+$/.test(made) && made.trim() === made) return made;
  throw new TypeError(`${option} must give a string of printable ASCII, without blanks around it`);
}
