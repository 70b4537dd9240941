const SECTION = 'HOLDFAST';

/**
 * Whether whoever started the program wants to see what we do: `NODE_DEBUG=holdfast`, read as Node reads it for its own modules. A
 * list with commas, in any letter case; `*` stands for anything.
 */
export function isDebugging(): boolean {
  try {
    const { process } = globalThis as { readonly process?: { readonly env?: { readonly NODE_DEBUG?: unknown } } };
    const wanted = process?.env?.NODE_DEBUG;
    return typeof wanted === 'string' && wanted !== '' && wanted.split(',').some(isUs);
  } catch {
    // Where the environment may not be read, nobody has asked by it.
    return false;
  }
}

function isUs(pattern: string): boolean {
  const literal = pattern.replace(/[|\\{}()[\]^$+?.]/g, '\\$&').replaceAll('*', '.*');
  return new RegExp(`^${literal}$`, 'i').test(SECTION);
}
