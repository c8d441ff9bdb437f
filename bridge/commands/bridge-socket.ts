/**
 * Bridge socket: the WebSocket of a headless processor, and what is wrong when TLS fails. Certificates are always
 * verified; nothing turns that off.
 */
import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { type ClientOptions, WebSocket } from 'ws';
import type { SocketLike } from '../../web/worker/session.ts';
import type { ProcessOptions } from '../config/options.ts';
import { MAX_BLOCK_FRAME_BYTES } from '../protocol/frames/block.ts';

export type BridgeSocketOptions = Pick<ProcessOptions, 'ca' | 'tlsName'>;

/**
 * Closed list of what no second attempt would mend.
 * - `certificate`: the bridge's certificate is not to be believed
 * - `scheme`: the bridge speaks TLS where the URL says it does not, or the other way round
 */
export type TlsTrouble = { readonly code: 'certificate' | 'scheme'; readonly message: string };

const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Node's names for what OpenSSL finds wrong with a chain of certificates. */
const UNTRUSTED = new Set([
  'CERT_CHAIN_TOO_LONG',
  'CERT_REJECTED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNSPECIFIED',
]);
const NOT_NOW = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);
const NOT_TLS = new Set(['EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG']);

/** Opens sockets for a `Session`. */
export function bridgeSocket(
  options: BridgeSocketOptions,
  failed: (trouble: TlsTrouble, url: string) => void,
): (url: string) => SocketLike {
  return (url) => {
    const socket = new WebSocket(url, {
      // Its data are blocks; deflating samples would cost more than it saves.
      perMessageDeflate: false,
      maxPayload: MAX_BLOCK_FRAME_BYTES,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      ...tlsOptions(options),
    });
    socket.on('error', (error) => {
      const trouble = troubleOf(error, new URL(url));
      if (trouble !== null) failed(trouble, url);
    });
    return socket;
  };
}

function tlsOptions({ ca, tlsName }: BridgeSocketOptions): ClientOptions {
  return {
    rejectUnauthorized: true,
    // A certificate that is named as trusted is, even where it is not an authority itself.
    ...(ca === null ? {} : { ca, allowPartialTrustChain: true }),
    ...(tlsName === null
      ? {}
      : {
          servername: isIP(tlsName) === 0 ? tlsName : '',
          checkServerIdentity: identityOf(tlsName),
        }),
  };
}

/** The types of `ws` have another function here than Node, to which it is handed on. */
const identityOf = (name: string) =>
  ((_: string, certificate: PeerCertificate) =>
    checkServerIdentity(name, certificate)) as unknown as NonNullable<ClientOptions['checkServerIdentity']>;

/** Names of the certificate that Node has put beside its error. */
function namesIn(error: Error): string {
  const { cert } = error as { readonly cert?: Partial<PeerCertificate> };
  return cert?.subjectaltname ?? 'none';
}

/** null: it may pass, and is tried again. */
function troubleOf(error: Error, { protocol, host }: URL): TlsTrouble | null {
  const code = 'code' in error ? String(error.code) : '';
  const bridge = `https://${host}`;
  if (UNTRUSTED.has(code))
    return {
      code: 'certificate',
      message: `the certificate of ${bridge} is not trusted (${error.message}): give its CA by --ca FILE or HALOSCOPE_CA; the bridge keeps it in its data folder as tls/ca.crt, offers it at ${bridge}/ca.crt, and logs its fingerprint`,
    };
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return {
      code: 'certificate',
      message: `the certificate of ${bridge} names others (${namesIn(error)}): use such a name in the URL, give it by --tls-name, or start the bridge with --public-url ${bridge}`,
    };
  if (NOT_NOW.has(code))
    return {
      code: 'certificate',
      message: `the certificate of ${bridge} is not valid now (${error.message}): look at the clocks of both machines, or renew it`,
    };
  if (protocol === 'wss:' && NOT_TLS.has(code))
    return { code: 'scheme', message: `${host} does not speak TLS: use http:// in the URL` };
  if (protocol === 'ws:' && /Unexpected server response: 307/.test(error.message))
    return { code: 'scheme', message: `${host} speaks TLS: use https:// in the URL` };
  return null;
}
