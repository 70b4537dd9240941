/** The resources: customers, and the orders placed for them. */

import { Refusal } from './bodies.ts';
import type { Answer, ApiRequest } from './wire.ts';

export interface ShopOptions {
  customers: readonly string[];
  /** The status of a stale `If-Match`: 412, or the 400 with code 2055 that means the same. */
  staleEtag: 412 | 400;
}

export interface Shop {
  readonly ordersCreated: number;
  /** Orders placed again under an id already seen, and answered with the first one. */
  readonly ordersRepeated: number;
  customers(): Answer;
  customer(id: string): Answer;
  placeOrder(customer: string, request: ApiRequest): Answer;
  order(customer: string, id: string): Answer;
  /** `PATCH` merges, `PUT` replaces. */
  changeOrder(customer: string, id: string, request: ApiRequest): Answer;
  reset(): void;
}

interface Customer {
  orders: Map<string, Order>;
  byRequestId: Map<string, Order>;
}

interface Order {
  id: string;
  customerId: string;
  version: number;
  content: object;
}

export function createShop({ customers: ids, staleEtag }: ShopOptions): Shop {
  const customers = new Map<string, Customer>();
  let ordersCreated = 0;
  let ordersRepeated = 0;

  const reset = () => {
    for (const id of ids) customers.set(id, { orders: new Map(), byRequestId: new Map() });
    ordersCreated = ordersRepeated = 0;
  };
  reset();

  const find = <T>(things: Map<string, T>, id: string): T => {
    const thing = things.get(id);
    if (!thing) throw new Refusal(404);
    return thing;
  };

  return {
    get ordersCreated() {
      return ordersCreated;
    },
    get ordersRepeated() {
      return ordersRepeated;
    },
    customers() {
      return { status: 200, body: { totalCount: ids.length, items: ids.map(customerView) } };
    },
    customer(id) {
      find(customers, id);
      return { status: 200, body: customerView(id) };
    },
    placeOrder(customerId, request) {
      const { orders, byRequestId } = find(customers, customerId);
      const first = request.requestId && byRequestId.get(request.requestId);
      if (first) {
        ordersRepeated += 1;
        return orderView(first, 201);
      }
      const content = jsonObject(request);
      ordersCreated += 1;
      const order: Order = { id: `o${ordersCreated}`, customerId, version: 1, content };
      orders.set(order.id, order);
      if (request.requestId) byRequestId.set(request.requestId, order);
      return orderView(order, 201);
    },
    order(customer, id) {
      return orderView(find(find(customers, customer).orders, id));
    },
    changeOrder(customer, id, request) {
      const order = find(find(customers, customer).orders, id);
      const condition = request.header('If-Match');
      if (!condition) throw new Refusal(412, { code: '800036' });
      if (condition !== '*' && condition !== etagOf(order)) {
        throw new Refusal(staleEtag, { code: staleEtag === 400 ? '2055' : '800036' });
      }
      const content = jsonObject(request);
      order.content = request.method === 'PUT' ? content : { ...order.content, ...content };
      order.version += 1;
      return orderView(order);
    },
    reset,
  };
}

function customerView(id: string): object {
  return { id, companyProfile: { companyName: `Company ${id}` } };
}

function orderView(order: Order, status = 200): Answer {
  const { id, customerId, content } = order;
  const etag = etagOf(order);
  return { status, headers: { ETag: etag }, body: { ...content, id, customerId, attributes: { etag } } };
}

function etagOf({ id, version }: Order): string {
  return `"${id}.${version}"`;
}

function jsonObject({ body }: ApiRequest): object {
  let value: unknown;
  try {
    value = JSON.parse(body ?? '');
  } catch {
    throw new Refusal(400, { description: 'The body is not valid JSON.' });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Refusal(400, { description: 'The body must be a JSON object.' });
  }
  return value;
}
