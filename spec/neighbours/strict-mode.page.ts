/** A page as React in development makes it: with StrictMode, every effect is run, cleaned up, and run again. */
import axios from 'axios';
import { createElement, StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { type Attachment, attach, failureOf } from '../../lib/index.ts';

const client = axios.create({ baseURL: '/api' });
/** How often each thing has been done. */
export const done = { attached: 0, closed: 0 };
let attachment: Attachment | undefined;

/** The client is attached while this is shown, and asks once each time that it is. */
function Orders() {
  const [text, setText] = useState('loading');
  useEffect(() => {
    const aborter = new AbortController();
    attachment = attach(client, { retry: { backoff: () => 1 } }, { replace: true });
    done.attached += 1;
    const { close } = attachment;
    client
      .get<{ n: number }>('/orders', { signal: aborter.signal })
      .then(({ data }) => setText(`done ${data.n}`))
      .catch((error: unknown) => {
        if (!aborter.signal.aborted) setText(failureOf(error)?.kind ?? String(error));
      });
    return () => {
      aborter.abort();
      void close();
      done.closed += 1;
    };
  }, []);
  return createElement('p', { id: 'orders' }, text);
}

export const stats = () => attachment?.stats();
export const pending = () => attachment?.pending().length;

const root = createRoot(document.getElementById('root') as HTMLElement);
root.render(createElement(StrictMode, null, createElement(Orders)));
export const unmount = () => root.unmount();
