import { mergePolicies, partnerApi } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { resolve } from '../support/policies.ts';

describe(partnerApi, () => {
  it('names the ids of its family', () => {
    expect(resolve(partnerApi())).toMatchObject({
      idempotency: { header: 'MS-RequestId', renew: 'after-response' },
      correlation: { header: 'MS-CorrelationId' },
    });
    expect(resolve(partnerApi({ rest: true }))).toMatchObject({
      idempotency: { header: 'client-request-id', renew: 'after-response' },
      correlation: { header: 'request-id' },
    });
  });

  it('gives way where another policy is laid over it', () => {
    const merged = mergePolicies(partnerApi(), { correlation: false, idempotency: { renew: 'never' } });
    expect(resolve(merged)).toMatchObject({
      correlation: false,
      idempotency: { header: 'MS-RequestId', renew: 'never' },
    });
  });

  it.each([
    { baseURL: 'https://a.example', url: '/v1/customers/c1/orders', key: 'https://a.example/v1 contoso customers/c1' },
    { baseURL: 'https://a.example/v1', url: 'customers', key: 'https://a.example/v1 contoso' },
    { baseURL: undefined, url: '/v1/customers/c1', key: '/v1 contoso customers/c1' },
    { baseURL: 'https://a.example', url: '/v1/invoices?of=/customers/c1', key: 'https://a.example/v1 contoso' },
    { baseURL: 'https://a.example', url: undefined, key: 'https://a.example contoso' },
  ])('keeps a budget under $key', ({ baseURL, url, key }) => {
    const { retry } = resolve(partnerApi({ tenant: () => 'contoso' }));
    if (retry === false || retry.budget === false) throw new Error('the preset retries, within a budget');
    expect(retry.budget.key?.({ baseURL, url } as never)).toBe(key);
  });
});
