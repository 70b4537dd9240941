/** What is counted is counted in steps of so many ms, by the clients and by the server. */
export const STEP_MS = 500;
