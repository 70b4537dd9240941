import net from 'node:net';
import { peer } from './silent-peers.ts';

type Peer = Awaited<ReturnType<typeof peer>>;

/** An HTTP proxy that answers CONNECT with this status line, or opens the tunnel where there is none. */
export function connectProxy(refusal?: string): Promise<Peer> {
  return peer((socket) =>
    socket.once('data', (head) => {
      const [, host = '', port = ''] = /^CONNECT ([^:]+):(\d+)/.exec(String(head)) ?? [];
      if (refusal !== undefined) return void socket.end(`HTTP/1.1 ${refusal}\r\ncontent-length: 0\r\n\r\n`);
      tunnel(socket, host, Number(port), 'HTTP/1.1 200 OK\r\n\r\n');
    }),
  );
}

/** A SOCKS5 proxy (RFC 1928) for IPv4 addresses that gives this reply code; 0 opens the tunnel. */
export function socksProxy(reply = 0): Promise<Peer> {
  return peer((socket) =>
    socket.once('data', () => {
      socket.write(Buffer.of(5, 0));
      socket.once('data', (request) => {
        const answer = Buffer.of(5, reply, 0, 1, 0, 0, 0, 0, 0, 0);
        if (reply !== 0) return void socket.end(answer);
        tunnel(socket, request.subarray(4, 8).join('.'), request.readUInt16BE(8), answer);
      });
    }),
  );
}

function tunnel(socket: net.Socket, host: string, port: number, answer: string | Buffer): void {
  const onwards = net.connect(port, host, () => {
    socket.write(answer);
    socket.pipe(onwards).pipe(socket);
  });
  onwards.on('error', () => socket.destroy());
  socket.on('close', () => onwards.destroy());
}
