import { generateKeyPairSync, sign } from 'node:crypto';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Policy } from 'axios-holdfast';
import { onTestFinished } from 'vitest';
import type { Answer } from './loopback.ts';

/** Resets the connection before any header. */
export const reset: Answer = (_request, response) => void response.socket?.resetAndDestroy();

/** Closes the connection before any header. */
export const hangUp: Answer = (_request, response) => void response.socket?.end();

/** Says that 100 bytes follow, sends four, and closes. */
export const truncated: Answer = (_request, response) => {
  response.writeHead(200, { 'content-type': 'text/plain', 'content-length': 100 });
  response.write('half', () => response.socket?.end());
};

/** Never answers. */
export const silent: Answer = () => {};

/** Long enough for a request to arrive over loopback, in ms. */
export const TIMEOUT_MS = 500;

/** Lets the first send time out where the server is silent, and gives the others all the time that they need. */
export const impatientAtFirst: Policy = {
  beforeSend: ({ config, send }) => {
    config.timeout = send === 1 ? TIMEOUT_MS : 0;
  },
};

/** An HTTPS server whose certificate nobody has reason to trust. */
export async function untrusted(): Promise<{ readonly url: string; readonly connections: number }> {
  let connections = 0;
  const server = https.createServer(selfSigned(), (_request, response) => void response.end('trusted'));
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    get connections() {
      return connections;
    },
  };
}

/** A certificate for nobody in particular, signed by its own key (RFC 5280), so that no key lies in the repository. */
export function selfSigned(): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaWithSha256 = der(0x30, der(0x06, Buffer.from('2a8648ce3d040302', 'hex')));
  const validity = der(0x30, der(0x17, Buffer.from('200101000000Z')), der(0x18, Buffer.from('20990101000000Z')));
  const nobody = der(0x30);
  const toBeSigned = der(
    0x30,
    der(0x02, Buffer.of(1)),
    ecdsaWithSha256,
    nobody,
    validity,
    nobody,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = der(0x03, Buffer.of(0), sign('sha256', toBeSigned, privateKey));
  const cert = der(0x30, toBeSigned, ecdsaWithSha256, signature).toString('base64');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${cert}\n-----END CERTIFICATE-----\n`,
  };
}

/** One element of ASN.1: its tag, its length, its parts. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const size = body.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.of(tag, ...length), body]);
}
