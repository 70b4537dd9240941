/** `npm run soak [-- MINUTES]`: ten minutes by default, and the books at the end. */
import { soak } from './soak.ts';

const minutes = Number(process.argv[2] ?? 10);
const seed = Date.now() % 1_000_000;
console.log(`${minutes} minutes, seed ${seed}`);
const { heap, ...report } = await soak({ forMs: minutes * 60_000, workers: 100, seed });
console.log(report);
console.log(`heap in MB: ${heap.map((bytes) => (bytes / 2 ** 20).toFixed(1)).join(' ')}`);
process.exitCode = report.faults.length > 0 ? 1 : 0;
