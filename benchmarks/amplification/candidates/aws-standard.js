import { ruleOf } from '../retry-loop.js';
import { AwsStandard } from '../rules/aws-standard.js';

export const setup = ruleOf(() => new AwsStandard());
