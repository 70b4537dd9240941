/** Defaults with one policy more, or everything with one less. */
import { attach } from '../../../dist/index.js';
import { overheadOf } from '../../overhead/overhead-of.js';
import { everything, POLICIES } from '../policies.js';

export const setup = (context) => {
  const { method, isEverything } = context.case;
  const policy = isEverything
    ? everythingBut(context.value.name)
    : { ...POLICIES[context.value.name], ...context.value.more };
  const equip = (client) => {
    const attachment = attach(client, policy);
    return () => attachment.close();
  };
  return overheadOf(equip)({ ...context, case: method });
};

function everythingBut(name) {
  const policy = everything();
  for (const option of Object.keys(POLICIES[name] ?? {})) delete policy[option];
  return policy;
}
