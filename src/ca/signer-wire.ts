import type {
  IssueOutcome,
  PreparedList,
  PreparedLists,
  SignerClient,
  SignerStatus,
} from "./signer-client.ts";
import {
  SIGNER_METHODS,
  type SignerMethod,
  type SignerReply,
  type SignerRequest,
  WIRE_CODES,
  type WireError,
} from "./signer-message.ts";
import {
  bigNatural,
  instant,
  type Json,
  listOf,
  natural,
  nothing,
  octets,
  oneOf,
  optional,
  record,
  serialNumber,
  text,
  tuple,
  type Wire,
  WireFormatError,
  word,
} from "./wire.ts";

/** What a method takes and gives. */
interface MethodWire<M extends SignerMethod> {
  readonly args: Wire<Parameters<SignerClient[M]>>;
  readonly result: Wire<Awaited<ReturnType<SignerClient[M]>>>;
}

/** More serials than any caller asks for at once. */
const MOST_SERIALS = 1_000;

/** A shard in two hex digits each, and the full list. */
const MOST_LISTS = 257;

/** A public key, RSA with 8192 bits included. */
const MOST_SPKI_OCTETS = 4_096;

const MOST_CERTIFICATE_OCTETS = 16_384;

/** A full list of a million entries has 40 MB. */
const MOST_LIST_OCTETS = 128 * 1024 * 1024;

const name = text(256);
const sentence = text(4_096);
const sha256 = text(64);
const spki = octets(MOST_SPKI_OCTETS);
const certificate = octets(MOST_CERTIFICATE_OCTETS);
const findings = listOf(sentence, 100);

const issueOutcome = oneOf<"outcome", IssueOutcome>("outcome", {
  good: record({ serial: serialNumber, outcome: word(["good"]) }),
  refused: record({ serial: serialNumber, outcome: word(["refused"]), findings }),
});

const preparedLists = record<PreparedLists>({
  batchId: name,
  issuerId: name,
  watermark: bigNatural,
  at: instant,
  lists: listOf(
    record<PreparedList>({
      scope: name,
      number: bigNatural,
      thisUpdate: instant,
      nextUpdate: instant,
      entries: natural,
      sha256,
      der: octets(MOST_LIST_OCTETS),
    }),
    MOST_LISTS,
  ),
});

const status = record<SignerStatus>({
  state: word(["ready", "quarantine"]),
  reason: optional(sentence),
  detail: optional(sentence),
  epoch: natural,
  journalId: name,
  journalSeq: bigNatural,
  journalLag: natural,
  reserved: natural,
});

const METHODS: { readonly [M in SignerMethod]: MethodWire<M> } = {
  issue: {
    args: tuple(listOf(serialNumber, MOST_SERIALS)),
    result: listOf(issueOutcome, MOST_SERIALS),
  },
  journal: { args: tuple(bigNatural), result: nothing },
  prepareLists: { args: tuple(name), result: preparedLists },
  commitLists: { args: tuple(name, listOf(sha256, MOST_LISTS)), result: nothing },
  delegate: { args: tuple(name, spki), result: certificate },
  serverCertificate: { args: tuple(spki, listOf(name, 100)), result: certificate },
  status: { args: tuple(), result: status },
};

const methodWire = (method: SignerMethod): MethodWire<SignerMethod> => METHODS[method];

const anything: Wire<unknown> = { write: (value) => value as Json, read: (json) => json };

const envelope = record<SignerRequest & { readonly args: unknown }>({
  id: natural,
  method: word(SIGNER_METHODS),
  args: anything as Wire<readonly unknown[]>,
});

const wireError = record<WireError>({
  code: word(WIRE_CODES),
  message: sentence,
  findings: optional(findings),
});

const good = record<{ readonly id: number; readonly result: unknown }>({
  id: natural,
  result: anything,
});
const bad = record<{ readonly id: number; readonly error: WireError }>({
  id: natural,
  error: wireError,
});

export function writeRequest({ id, method, args }: SignerRequest): Json {
  const written = methodWire(method).args.write(args as Parameters<SignerClient[SignerMethod]>);
  return { id, method, args: written };
}

/** Throws WireFormatError. */
export function readRequest(json: unknown): SignerRequest {
  const { id, method, args } = envelope.read(json);
  return { id, method, args: methodWire(method).args.read(args) };
}

/** Sentences are for people: one that is too long is cut, and never the reason for an answer that does not come. */
const cut = (message: string): string => message.slice(0, 4_000);

export function writeReply(method: SignerMethod, reply: SignerReply): Json {
  if (!("error" in reply)) {
    const result = methodWire(method).result.write(reply.result as never);
    return { id: reply.id, result };
  }
  const { code, message, findings: found } = reply.error;
  return bad.write({
    id: reply.id,
    error: {
      code,
      message: cut(message),
      ...(found !== undefined && { findings: found.slice(0, 100).map(cut) }),
    },
  });
}

/** Throws WireFormatError. The method is that of the request; undefined for a reply that nobody waits for any more. */
export function readReply(
  json: unknown,
  methodOf: (id: number) => SignerMethod | undefined,
): SignerReply | undefined {
  if (typeof json !== "object" || json === null) throw new WireFormatError("this is not a reply");
  if ("error" in json) return bad.read(json);
  const { id, result } = good.read(json);
  const method = methodOf(id);
  return method === undefined ? undefined : { id, result: methodWire(method).result.read(result) };
}
