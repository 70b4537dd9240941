interface Process {
  readonly emitWarning?: unknown;
}

/** Prints a line for whoever runs the program. Under Node it goes to stderr, since stdout may be the program's own output. */
export function print(level: 'debug' | 'info' | 'warn', line: string): void {
  const { process } = globalThis as { readonly process?: Process };
  console[typeof process?.emitWarning === 'function' ? 'error' : level](line);
}
