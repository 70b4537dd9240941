/** The stand-ins of the families that there are presets for. */
import { type Policy, partnerApi } from 'axios-holdfast';
import { createApi } from '../../examples/partner-api/api.ts';
import { requestOf } from '../../examples/partner-api/request.ts';
import { FAMILIES } from '../../examples/stand-in/families.ts';
import type { Asked, Family, Reply } from '../../examples/stand-in/family.ts';
import { gateOf } from '../../examples/stand-in/gate.ts';
import type { FamilyName } from './scenario.ts';

export interface StandIn {
  readonly calls: Family['calls'];
  answer(asked: Asked): Reply & { readonly isRefused: boolean };
}

export const presetOf = (name: FamilyName): Policy => {
  if (name === 'partnerApi') return partnerApi();
  return known(name)[1]();
};

export function standInOf(name: FamilyName): StandIn {
  if (name === 'partnerApi') return partner();
  const [family] = known(name);
  const { answer } = gateOf(family, Date.now);
  return { calls: family.calls, answer };
}

function known(name: string) {
  const found = FAMILIES[name];
  if (found === undefined) throw new Error(`there is no family ${name}: ${Object.keys(FAMILIES).join(', ')}`);
  return found;
}

/** 60 requests each 10 s to a customer, and 10 of them writes. */
function partner(): StandIn {
  const quota = { quota: { requests: 60, perMs: 10_000 }, writeQuota: { requests: 10, perMs: 10_000 } };
  const api = createApi({ ...quota, now: Date.now, maxBodyBytes: 2 ** 20 });
  return {
    calls: [
      { method: 'get', url: '/v1/customers/c1' },
      { method: 'post', url: '/v1/customers/c1/orders', data: { lineItems: [] } },
    ],
    answer({ method, url, headers: asked, body }) {
      const header = (name: string) => asked[name.toLowerCase()]?.toString();
      const request = requestOf({ method, url, header }, { body, bodyLength: body.length, bodyHash: '' });
      const { status, headers = {}, body: told } = api.answer(request, api.find(request));
      const written = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
      return { status, headers: Object.fromEntries(written), body: told, isRefused: status === 429 };
    },
  };
}
