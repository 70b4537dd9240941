import { AxiosHeaders } from 'axios';
import { headerNames, headerOf } from '../call/header.ts';

/** An answer's headers as axios' own, also where an adapter of the caller's, or another copy of axios, gave something else. */
export function axiosHeaders(headers: unknown): AxiosHeaders {
  if (headers instanceof AxiosHeaders) return headers;
  return new AxiosHeaders(
    Object.fromEntries(headerNames(headers).map((name) => [name, headerOf(headers, name) ?? null])),
  );
}
