import { overheadOf } from '../../overhead/overhead-of.js';

export const setup = (context) => overheadOf(() => undefined)({ ...context, case: context.case.method });
