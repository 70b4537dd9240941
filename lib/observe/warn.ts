import { print } from './print.ts';

interface Process {
  readonly emitWarning?: (warning: string, options: { readonly type: string; readonly code: string }) => void;
}

/** Warns whoever runs the program: by Node's `warning` event, elsewhere on the console. */
export function warn(code: string, message: string): void {
  const { process } = globalThis as { readonly process?: Process };
  if (typeof process?.emitWarning === 'function') process.emitWarning(message, { type: 'HoldfastWarning', code });
  else print('warn', `${code}: ${message}`);
}
