import { ruleOf } from '../retry-loop.js';
import { Finagle } from '../rules/finagle.js';

export const setup = ruleOf(() => new Finagle());
