/** What one proxy writes into its header field cannot be read. The message is the end of a sentence that begins with the field. */
export class UnreadableFieldError extends Error {
  override get name(): string {
    return "UnreadableFieldError";
  }
}

/**
 * A certificate in DER, or undefined where the field says that the client showed none. Throws UnreadableFieldError, and
 * nothing else. Whether it is a certificate at all is seen by whoever parses it.
 */
export type ReadField = (value: string) => Uint8Array | undefined;

/** Far above any certificate of ours (0.7 kB), and above most of others. */
const LONGEST_DER = 8_192;

/** RFC 4648 §4, with its padding. */
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

function unreadable(why: string): UnreadableFieldError {
  return new UnreadableFieldError(why);
}

function base64Octets(text: string): Uint8Array {
  if (text.length % 4 !== 0 || !BASE64.test(text)) throw unreadable("holds no base64");
  const der = Buffer.from(text, "base64");
  if (der.length > LONGEST_DER) throw unreadable(`holds more than ${LONGEST_DER} octets`);
  return der;
}

/** Percent-encoding undone (RFC 3986 §2.1); a plus sign is one, as it must be in base64. */
function unescaped(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw unreadable("is not correctly percent-encoded");
  }
}

const BEGIN = "-----BEGIN CERTIFICATE-----";
const END = "-----END CERTIFICATE-----";

/** One block of PEM whose line ends may have become blanks. */
function pemOctets(pem: string): Uint8Array {
  const text = pem.trim();
  if (!text.startsWith(BEGIN) || !text.endsWith(END) || text.length < BEGIN.length + END.length)
    throw unreadable("holds no certificate in PEM");
  const body = text.slice(BEGIN.length, -END.length);
  if (body.includes("-")) throw unreadable("holds more than one certificate");
  return base64Octets(body.replaceAll(/[ \t\r\n]+/g, ""));
}

/** What mod_headers of Apache httpd writes for a variable without value. */
const APACHE_NOTHING = "(null)";

/**
 * `X-SSL-Client-Cert`: of nginx `$ssl_client_escaped_cert`, PEM with percent-encoding; of Apache httpd
 * `%{SSL_CLIENT_CERT}s`, PEM whose line ends have become blanks.
 */
export const readPem: ReadField = (value) => {
  if (value === "" || value === APACHE_NOTHING) return undefined;
  return pemOctets(unescaped(value));
};

/** `X-SSL-Client-DER`: of HAProxy `%[ssl_c_der,base64]`, of Caddy `{http.request.tls.client.certificate_der_base64}`. */
export const readBase64: ReadField = (value) => (value === "" ? undefined : base64Octets(value));

/**
 * `X-Forwarded-Tls-Client-Cert` of Traefik: PEM without its armour in one line, with percent-encoding up to version 2.
 * Of a chain, with commas between, the first is the client's own.
 */
export const readTraefik: ReadField = (value) => {
  if (value === "") return undefined;
  const [leaf = ""] = unescaped(value).split(",");
  return base64Octets(leaf);
};

/** A Byte Sequence (RFC 8941 §3.3.5), the value of `Client-Cert` (RFC 9440 §2.2). An empty one is no certificate. */
export const readByteSequence: ReadField = (value) => {
  if (value === "" || value === "::") return undefined;
  if (!value.startsWith(":") || !value.endsWith(":") || value.length < 3)
    throw unreadable("is no byte sequence of RFC 8941, :base64:");
  return base64Octets(value.slice(1, -1));
};

/** One `key=value` of an XFCC element, its value quoted or not, and what separates it from the next. */
const XFCC_PAIR = /[ \t]*([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;]*))[ \t]*(,|;|$)/y;

/** The values of all `Cert` keys, in whatever element they stand; keys are read in any case, as Envoy does. */
function xfccCertificates(value: string): readonly string[] {
  const found: string[] = [];
  const pair = new RegExp(XFCC_PAIR);
  let separator = ",";
  while (pair.lastIndex < value.length || separator === ",") {
    const match = pair.exec(value);
    if (match === null) throw unreadable("is not written as Envoy writes it, key=value;key=value");
    const [, key = "", quoted, plain = "", next = ""] = match;
    if (key.toLowerCase() === "cert") found.push(quoted?.replaceAll(/\\(.)/g, "$1") ?? plain);
    separator = next;
    if (separator === "") break;
  }
  return found;
}

/**
 * `X-Forwarded-Client-Cert` of Envoy: elements with commas between, one for each proxy on the way, of pairs with
 * semicolons. `Cert` is PEM with percent-encoding. Where several elements have one, it is not for us to guess which
 * client is meant.
 */
export const readXfcc: ReadField = (value) => {
  if (value === "") return undefined;
  const [certificate, ...others] = xfccCertificates(value);
  if (certificate === undefined)
    throw unreadable("has no Cert: set_current_client_cert_details must have cert: true");
  if (others.length > 0)
    throw unreadable(
      "has more than one Cert: the outer proxy must set it anew (forward_client_cert_details: SANITIZE_SET)",
    );
  return pemOctets(unescaped(certificate));
};
