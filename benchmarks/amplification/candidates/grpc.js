import { ruleOf } from '../retry-loop.js';
import { Grpc } from '../rules/grpc.js';

export const setup = ruleOf(() => new Grpc());
