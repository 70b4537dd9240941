/** What a call says for itself, where it says something. */
export const policyOfTheCall = { retry: { maxRetries: 1 } };
