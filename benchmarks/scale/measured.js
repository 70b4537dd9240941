/** The processor time of some work, in µs. */
export async function cpuUsOf(work) {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
