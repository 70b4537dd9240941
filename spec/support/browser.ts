import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

/** Why the specs that need a browser are skipped; `undefined` where they are not. Never in CI: there its lack is a failure. */
export const noBrowser: string | undefined = whyNot();

/** Chromium without a window, with a profile of its own that goes when it is closed, and without talk to anybody outside. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = command();
  if (executablePath === undefined) throw new Error(noBrowser);
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

function whyNot(): string | undefined {
  if (command() !== undefined) return undefined;
  const reason = 'there is no chromium in /usr/bin or on the PATH';
  if (process.env.CI) throw new Error(`${reason}, and in CI there has to be one`);
  console.warn(`skipped: ${reason}`);
  return reason;
}

function command(): string | undefined {
  const folders = ['/usr/bin', ...(process.env.PATH ?? '').split(delimiter)];
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
