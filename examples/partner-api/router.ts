/** Finds the handler of a request by its method and path. */

import { Refusal } from './bodies.ts';
import type { Answer, ApiRequest } from './request.ts';

export interface Route {
  /** `*` is any. `GET` answers `HEAD` as well. */
  method: string;
  /** A template such as `/v1/customers/{customer}`; the handler gets what the braces stand for, in order. */
  path: string;
  handle(request: ApiRequest, ...ids: string[]): Answer;
}

export interface Found {
  /** Method and template, for counting. */
  name: string;
  answer(): Answer;
}

export function createRouter(routes: readonly Route[]): (request: ApiRequest) => Found {
  const compiled = routes.map((route) => ({
    ...route,
    pattern: new RegExp(`^${route.path.replace(/\{\w+\}/g, '([^/]+)')}$`),
  }));

  return (request) => {
    const here = compiled.filter(({ pattern }) => pattern.test(request.path));
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const route = here.find((candidate) => candidate.method === method || candidate.method === '*');
    if (route) {
      const [, ...ids] = route.pattern.exec(request.path) ?? [];
      return { name: `${request.method} ${route.path}`, answer: () => route.handle(request, ...ids) };
    }

    const name = `${request.method} (no route)`;
    const answer = () => {
      if (here.length === 0) throw new Refusal(404);
      throw new Refusal(405, { headers: { Allow: here.map((candidate) => candidate.method).join(', ') } });
    };
    return { name, answer };
  };
}
