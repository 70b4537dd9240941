import { AxiosHeaders } from 'axios';
import { headerNames, headerOf } from '../call/header.ts';

/** The headers of an answer as our axios' `AxiosHeaders`, also where the caller's adapter or another copy of axios gave something else. */
export function axiosHeaders(headers: unknown): AxiosHeaders {
  if (headers instanceof AxiosHeaders) return headers;
  return new AxiosHeaders(
    Object.fromEntries(headerNames(headers).map((name) => [name, headerOf(headers, name) ?? null])),
  );
}
