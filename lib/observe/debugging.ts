const SECTION = 'HOLDFAST';

/**
 * Whether the environment has `NODE_DEBUG=holdfast`: then every event is printed. It is read as Node reads it for its own modules: a list
 * with commas, in any letter case, where `*` stands for any characters.
 */
export function isDebugging(): boolean {
  try {
    const { process } = globalThis as unknown as {
      readonly process: { readonly env: { readonly NODE_DEBUG?: string } };
    };
    return process.env.NODE_DEBUG?.split(',').some(matches) === true;
  } catch {
    // There is no environment, or it may not be read: some runtimes ask for a permission first.
    return false;
  }
}

function matches(pattern: string): boolean {
  const literal = pattern.replace(/[|\\{}()[\]^$+?.]/g, '\\$&').replaceAll('*', '.*');
  return new RegExp(`^${literal}$`, 'i').test(SECTION);
}
