import {
  readBase64,
  readByteSequence,
  type ReadField,
  readPem,
  readTraefik,
  readXfcc,
  UnreadableFieldError,
} from "./client-certificate-formats.ts";
import { type FieldFault, HttpError } from "./errors.ts";

interface Spelling {
  /** As its proxy's manual writes it. */
  readonly name: string;
  readonly read: ReadField;
}

/** The fields in which proxies hand on a client's certificate, by their names in lower case. */
const SPELLINGS: ReadonlyMap<string, Spelling> = new Map(
  [
    { name: "X-SSL-Client-Cert", read: readPem },
    { name: "X-SSL-Client-DER", read: readBase64 },
    { name: "X-Forwarded-Tls-Client-Cert", read: readTraefik },
    { name: "X-Forwarded-Client-Cert", read: readXfcc },
    { name: "Client-Cert", read: readByteSequence },
  ].map((spelling) => [spelling.name.toLowerCase(), spelling]),
);

/** Belongs to `Client-Cert` (RFC 9440 §2.3). It is not read: which CAs count we know ourselves. */
const CHAIN = "Client-Cert-Chain";

/** Longer than any of the fields with a chain of three certificates; a request's headers have 16 KiB at most. */
const LONGEST_FIELD = 12_288;

function refused(faults: readonly FieldFault[]): HttpError {
  const says = faults.map(({ field, detail }) => `${field} ${detail}`).join("; ");
  return new HttpError("invalid-request", says, faults);
}

interface Found extends Spelling {
  readonly value: string;
}

/** All such fields of a request, in the order in which they came, and whether there is a chain beside them. */
function findFields(rawHeaders: readonly string[]): {
  readonly found: readonly Found[];
  readonly hasChain: boolean;
} {
  const found: Found[] = [];
  let hasChain = false;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? "").toLowerCase();
    const spelling = SPELLINGS.get(name);
    if (spelling !== undefined)
      found.push({ ...spelling, value: (rawHeaders[i + 1] ?? "").trim() });
    else if (name === CHAIN.toLowerCase()) hasChain = true;
  }
  return { found, hasChain };
}

/**
 * A field that comes twice, or beside another, is somebody's attempt to be taken for somebody else, or a proxy that does
 * not remove what clients send: neither is guessed at.
 */
function demandOne(found: readonly Found[], hasChain: boolean): void {
  const names = [...new Set(found.map(({ name }) => name))];
  const detail =
    names.length > 1 ? "must not stand beside another field of its kind" : "must come once only";
  if (found.length > 1) throw refused(names.map((field) => ({ field, detail })));
  if (hasChain && names[0] !== "Client-Cert")
    throw refused([{ field: CHAIN, detail: "must not come without Client-Cert" }]);
}

/**
 * The client's certificate, in DER, as the proxy that asks hands it on: in exactly one of the fields that proxies use for
 * it. Undefined where there is none. `rawHeaders` are names and values in turn, as Node.js gives them: in `headers` fields
 * of the same name would be joined. Throws HttpError `invalid-request`, which names the fields.
 *
 * Nothing here says that the fields may be believed: that is for whoever knows who sent them.
 */
export function clientCertificateOf(rawHeaders: readonly string[]): Uint8Array | undefined {
  const { found, hasChain } = findFields(rawHeaders);
  demandOne(found, hasChain);
  const [only] = found;
  if (only === undefined) return undefined;
  const { name: field, value, read } = only;
  if (value.length > LONGEST_FIELD)
    throw refused([{ field, detail: `has more than ${LONGEST_FIELD} characters` }]);
  try {
    return read(value);
  } catch (error) {
    if (!(error instanceof UnreadableFieldError)) throw error;
    throw refused([{ field, detail: error.message }]);
  }
}
