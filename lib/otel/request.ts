import type { Attributes } from '@opentelemetry/api';
import type { InternalAxiosRequestConfig } from 'axios';
import { addressOf, originOf } from '../call/address.ts';
import { CONVENTIONS, METHODS, OTHER } from './names.ts';

/** What is said of a request. */
export interface DescribedRequest {
  /** What its span is called: the method, for whatever else is known of it there would be too many names. */
  readonly name: string;
  /** Its method and its server: few enough for a metric. */
  readonly server: Attributes;
  /** These, and its URL without query, fragment, user and password. */
  readonly all: Attributes;
}

export function describeRequest(config: InternalAxiosRequestConfig): DescribedRequest {
  const method = String(config.method ?? 'get').toUpperCase();
  const isKnown = METHODS.has(method);
  const server: Attributes = { [CONVENTIONS.method]: isKnown ? method : OTHER };
  const address = addressOf(config);
  const url = parsed(address, config);
  if (url !== undefined) {
    // The brackets of an IPv6 address are the URL's.
    server[CONVENTIONS.address] = url.hostname.replace(/^\[|\]$/g, '');
    const port = url.port || DEFAULT_PORTS[url.protocol];
    if (port !== undefined) server[CONVENTIONS.port] = Number(port);
  }
  const all: Attributes = { ...server, [CONVENTIONS.url]: url?.href ?? address };
  if (!isKnown) all[CONVENTIONS.methodOriginal] = method;
  return { name: isKnown ? method : 'HTTP', server, all };
}

const DEFAULT_PORTS: { readonly [protocol: string]: string } = { 'http:': '80', 'https:': '443' };

/** An address without an origin is of the page, where there is one. */
function parsed(address: string, config: InternalAxiosRequestConfig): URL | undefined {
  try {
    return new URL(address, originOf(config) || undefined);
  } catch {
    return undefined;
  }
}
