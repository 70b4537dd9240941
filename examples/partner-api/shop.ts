/** The resources: customers, and the orders placed for them. */

import { Refusal } from './bodies.ts';
import type { Answer, ApiRequest } from './request.ts';

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
  /** Begins to change a quantity, which takes a while: 202, and where to ask. */
  changeQuantity(customer: string, id: string, request: ApiRequest): Answer;
  /** What has become of that. */
  operation(customer: string, id: string): Answer;
  /** Is not there at once: 204, and when to ask again. */
  utilization(customer: string): Answer;
  reset(): void;
}

/** How often an asynchronous operation has to be asked for before it is done. */
const ASKED = 2;

interface Operation {
  asked: number;
  finish(): Answer;
}

interface Customer {
  orders: Map<string, Order>;
  byRequestId: Map<string, Order>;
  operations: Map<string, Operation>;
  utilizationAsked: number;
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
    for (const id of ids) {
      const none = { orders: new Map(), byRequestId: new Map(), operations: new Map(), utilizationAsked: 0 };
      customers.set(id, none);
    }
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
    changeQuantity(customerId, id, request) {
      const customer = find(customers, customerId);
      const order = find(customer.orders, id);
      const content = jsonObject(request);
      const operation = `op${customer.operations.size + 1}`;
      customer.operations.set(operation, {
        asked: 0,
        finish() {
          order.content = { ...order.content, ...content };
          order.version += 1;
          return orderView(order);
        },
      });
      const location = `/${request.family}/customers/${customerId}/operations/${operation}`;
      return { status: 202, headers: { Location: location, 'Retry-After': 1 }, body: { status: 'running' } };
    },
    operation(customer, id) {
      const operation = find(find(customers, customer).operations, id);
      operation.asked += 1;
      if (operation.asked > ASKED) return operation.finish();
      return { status: 202, headers: { 'Retry-After': 1 }, body: { status: 'running' } };
    },
    utilization(id) {
      const customer = find(customers, id);
      customer.utilizationAsked += 1;
      if (customer.utilizationAsked <= ASKED) return { status: 204, headers: { 'Retry-After': 1 } };
      return { status: 200, body: { items: [] } };
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
