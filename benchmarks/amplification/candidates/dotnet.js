import { ruleOf } from '../retry-loop.js';
import { DotNet } from '../rules/dotnet.js';

export const setup = ruleOf(() => new DotNet());
