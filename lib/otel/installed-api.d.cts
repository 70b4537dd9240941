import * as api from '@opentelemetry/api';

declare const installed: {
  /** The optional package, where it is installed. */
  readonly api: typeof api | undefined;
};
export = installed;
