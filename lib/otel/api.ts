import installed from './installed-api.cjs';

/** The API of OpenTelemetry: what it gives does nothing until an application has registered an SDK. */
export const api = installed.api ?? missing();

function missing(): never {
  const needed = 'the package @opentelemetry/api, which is not installed: npm i @opentelemetry/api';
  throw new Error(`axios-holdfast/otel needs ${needed}`);
}
