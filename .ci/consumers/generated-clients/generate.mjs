// Has each generator write its client of api.json, as its own documentation says.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const generate = (command, ...args) => execFileSync(`node_modules/.bin/${command}`, args, { stdio: 'inherit' });

generate('swagger-typescript-api', 'generate', '-p', 'api.json', '-o', 'src/swagger', '-n', 'client.ts', '--axios');
generate('orval', '--input', 'api.json', '--output', 'src/orval/client.ts', '--client', 'axios-functions');
generate('openapi-ts', '-i', 'api.json', '-o', 'src/hey', '-c', '@hey-api/client-axios');

// The last orval that runs on Node 20 is typed for an older axios.
const orval = 'src/orval/client.ts';
writeFileSync(orval, `// @ts-nocheck\n${readFileSync(orval, 'utf8')}`);
