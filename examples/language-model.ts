/** A language model that counts tokens: calls wait for their tokens instead of finding the end of the quota. */
import axios from 'axios';
import { attach, mergePolicies, reportOf } from 'axios-holdfast';
import { openai } from 'axios-holdfast/presets';
import { openai as asOpenAiDoes } from './stand-in/families/openai.ts';
import { startStandIn } from './stand-in/server.ts';

const server = await startStandIn(asOpenAiDoes); // 300 requests and 60,000 tokens a minute
const client = axios.create({ baseURL: server.url, timeout: 60_000 });
const holdfast = attach(client, mergePolicies(openai({ tokensPerMinute: 60_000 }), { deadlineMs: 120_000 }));

const document = 'The quick brown fox jumps over the lazy dog. '.repeat(100); // some 1,100 tokens
const ask = (n: number) =>
  client.post('/v1/chat/completions', {
    model: 'gpt-5',
    max_completion_tokens: 100,
    messages: [{ role: 'user', content: `Summarize chapter ${n}: ${document}` }],
  });

const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => ask(n + 1)));
const waits = answers.map((answer) => reportOf(answer)?.sends[0]?.queuedMs ?? 0);
const waited = waits.filter((ms) => ms > 100).length;
const tokens = answers.reduce((sum, { data }) => sum + data.usage.total_tokens, 0);
console.log(`${answers.length} answers, ${tokens} tokens; ${waited} calls waited for theirs`);
console.log(`${server.counters.refused} requests were refused`);
await holdfast.close();
await server.close();
