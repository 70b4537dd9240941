import type { Evidence } from '../classify/options.ts';
import type { PresetRule } from './define-preset.ts';

/**
 * Rules for the header in which a server itself says whether to send again, such as `x-should-retry`: that goes before what the status says.
 * Where it says yes, any method is sent again; a 429 stays throttled. What it says of a 401 is not asked: another token is another request.
 */
export function serverSays(header: string, source: string): readonly PresetRule[] {
  const why = `the server says not to retry: ${header}`;
  return [
    { header: { [header]: 'false' }, when: isNot401, means: 'fail', why, source },
    {
      header: { [header]: 'true' },
      when: (evidence) => isNot401(evidence) && evidence.status !== 429,
      means: 'refused',
      source,
    },
  ];
}

const isNot401 = ({ status }: Evidence): boolean => status !== 401;

const ENVOY = 'https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter';

/** What Envoy adds where it dropped a request itself, and so nobody behind it has seen it. For services that stand behind one. */
export const ENVOY_RULES: readonly PresetRule[] = [
  { status: 503, header: { 'x-envoy-overloaded': 'true' }, means: 'refused', why: 'dropped by Envoy', source: ENVOY },
];
