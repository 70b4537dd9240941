import * as conventions from '@opentelemetry/semantic-conventions';
import { describe, expect, it } from 'vitest';
import { CONVENTIONS, METHODS, OTHER } from '../../lib/otel/names.ts';

describe('the names of the semantic conventions', () => {
  const { ERROR_TYPE_VALUE_OTHER, HTTP_REQUEST_METHOD_VALUE_OTHER } = conventions;

  it('are those of the stable ones', () => {
    expect(CONVENTIONS).toEqual({
      errorType: conventions.ATTR_ERROR_TYPE,
      method: conventions.ATTR_HTTP_REQUEST_METHOD,
      methodOriginal: conventions.ATTR_HTTP_REQUEST_METHOD_ORIGINAL,
      resendCount: conventions.ATTR_HTTP_REQUEST_RESEND_COUNT,
      status: conventions.ATTR_HTTP_RESPONSE_STATUS_CODE,
      address: conventions.ATTR_SERVER_ADDRESS,
      port: conventions.ATTR_SERVER_PORT,
      url: conventions.ATTR_URL_FULL,
    });
    expect([OTHER, OTHER]).toEqual([ERROR_TYPE_VALUE_OTHER, HTTP_REQUEST_METHOD_VALUE_OTHER]);
  });

  it('have all their methods, and no other', () => {
    const known = Object.entries(conventions).filter(([name]) => name.startsWith('HTTP_REQUEST_METHOD_VALUE_'));
    expect([...METHODS, OTHER].sort()).toEqual(known.map(([, method]) => method).sort());
  });
});
