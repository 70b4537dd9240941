/** What a stand-in plays: how a family of APIs throttles, and what it says then. */

/** A request, as the stand-in sees it. */
export interface Asked {
  readonly method: string;
  /** With its query. */
  readonly url: string;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly headers?: { readonly [name: string]: string };
  /** Anything but a string is sent as JSON. */
  readonly body?: unknown;
}

/** What a quota says of itself, just after a request was counted. */
export interface Standing {
  readonly limit: number;
  readonly left: number;
  /** Until it is full again, in ms. */
  readonly resetMs: number;
  /** Until there is room for what was asked, in ms; 0 where there was. */
  readonly waitMs: number;
  readonly resetAt: number;
}

export interface Quota {
  readonly name: string;
  /** `window`: so many in each `perMs`, which begins with the first. `bucket`: so many at once, and they come back evenly. */
  readonly kind: 'window' | 'bucket';
  readonly requests: number;
  readonly perMs: number;
  /** Which part of it a request draws on; `false`: none. Default: all draw on one. */
  readonly key?: (asked: Asked) => string | false;
  /** Default: 1. */
  readonly cost?: (asked: Asked) => number;
  /** What is answered where nothing is left. */
  refuse(standing: Standing): Reply;
}

export interface Family {
  readonly quotas: readonly Quota[];
  /** What is answered else; what the quotas say of themselves by then, by their names. */
  serve(asked: Asked, standings: { readonly [quota: string]: Standing }): Reply;
  /** What every answer carries besides, by the name of the quota that it was counted in. */
  headers?(standings: { readonly [quota: string]: Standing }): { readonly [name: string]: string };
  /** What the demo asks for. */
  readonly calls: readonly { readonly method: string; readonly url: string; readonly data?: unknown }[];
  /** What it shows besides: an answer that the first call gets, and what is told of it. */
  readonly failures?: readonly { readonly title: string; readonly reply: Reply }[];
}
