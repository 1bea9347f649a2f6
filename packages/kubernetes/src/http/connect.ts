import net from "node:net";
import tls from "node:tls";
import { abortFailure, ExchangeError } from "./failure.ts";
import { bearsOneOf } from "./server-identity.ts";

/** A server and how to speak to it. */
export interface Target {
  /** A name, or an IP address without brackets. */
  host: string;
  port: number;
  /** Host and port as the `Host` header has them. */
  authority: string;
  /** Null for plain HTTP. */
  tls: TlsTarget | null;
}

export interface TlsTarget {
  /** Whom we trust. */
  trust: Pick<tls.ConnectionOptions, "ca" | "servername" | "rejectUnauthorized">;
  /** Our own certificate; empty where we have none. */
  identity: Pick<tls.ConnectionOptions, "cert" | "key" | "pfx" | "passphrase">;
  /** Names of which the server's certificate must bear one. (Default: Node's rule for the host) */
  names?: readonly string[];
  /** Our certificate is not even offered to a server whose own does not verify. (Default: false) */
  verifyFirst?: boolean;
}

/** Each piece of TLS has 16 KiB at most, whatever the buffer; and there is one for each followed container. */
const BUFFER_BYTES = 16 * 1024;

/** Finds broken connections that nothing is sent on. */
const TCP_KEEP_ALIVE_MS = 30_000;

/**
 * Begins a connection.
 *
 * @param onBytes - gets what comes, in one buffer that is used again and again. @returns false when the socket was paused
 */
export function beginConnection(target: Target, onBytes: (bytes: Buffer) => boolean): net.Socket {
  const buffer = Buffer.alloc(BUFFER_BYTES);
  const common = {
    host: target.host,
    port: target.port,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    noDelay: true,
    onread: { buffer, callback: (length: number): boolean => onBytes(buffer.subarray(0, length)) },
  };
  if (target.tls === null) return net.connect(common);
  const { trust, identity, names } = target.tls;
  return tls.connect({
    ...common,
    ...(net.isIP(target.host) === 0 && { servername: target.host }),
    ...trust,
    ...identity,
    ALPNProtocols: ["http/1.1"],
    ...(names !== undefined && {
      checkServerIdentity: (_host: string, { raw }: tls.PeerCertificate) => bearsOneOf(names, raw),
    }),
  });
}

/**
 * Waits until a request may be written: the handshake is over and the server's certificate has verified.
 *
 * @throws ExchangeError `connect`, and what the signal says
 */
export function connected(socket: net.Socket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const event = socket instanceof tls.TLSSocket ? "secureConnect" : "connect";
    const settle = (act: () => void): void => {
      socket.off(event, onReady);
      socket.off("error", onError);
      socket.off("close", onClose);
      signal.removeEventListener("abort", onAbort);
      act();
    };
    const onReady = (): void => settle(resolve);
    const onError = (error: NodeJS.ErrnoException): void =>
      settle(() => reject(new ExchangeError("connect", connectMessage(error), { cause: error })));
    const onClose = (): void => settle(() => reject(new ExchangeError("connect", "the connection was closed")));
    const onAbort = (): void => {
      socket.destroy();
      settle(() => reject(abortFailure(signal)));
    };
    socket.once(event, onReady);
    socket.once("error", onError);
    socket.once("close", onClose);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

/** The errors of several addresses come as one without a message (Node.js, `net.autoSelectFamily`). */
function connectMessage(error: NodeJS.ErrnoException): string {
  const words = error.message || (error instanceof AggregateError && String(error.errors[0]?.message)) || error.code;
  return `no connection: ${words || "it failed"}`;
}
