interface Process {
  readonly emitWarning?: unknown;
}

/** Writes a line for whoever runs the program: to stderr under Node, where stdout may be the program's own output; else on the console. */
export function print(level: 'debug' | 'info' | 'warn', line: string): void {
  const { process } = globalThis as { readonly process?: Process };
  console[typeof process?.emitWarning === 'function' ? 'error' : level](line);
}
