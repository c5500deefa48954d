import { sign } from "node:crypto";
import { oid } from "../../src/pki/der.ts";
import { type CsrSignatureAlgorithm } from "../../src/pki/csr.ts";
import { SIGNATURE_ALGORITHM } from "../../src/pki/oids.ts";
import { constructed, decode, type DerNode, encode, primitive } from "./der-edit.ts";
import type { Key } from "./certificates.ts";

/** The parts of a request that tests vary. */
export interface CsrShape {
  readonly version?: DerNode;
  readonly subject?: DerNode;
  readonly spki?: DerNode;
  readonly attributes?: readonly DerNode[];
  readonly algorithm?: CsrSignatureAlgorithm;
}

const NULL = primitive(0x05, "");

/** A request in DER, really signed by the key, whatever its shape. */
export function makeCsr(key: Key, shape: CsrShape = {}): Uint8Array {
  const isEc = key.privateKey.asymmetricKeyType === "ec";
  const algorithm = shape.algorithm ?? (isEc ? "ecdsa-with-SHA256" : "sha256WithRSAEncryption");
  const info = constructed(
    0x30,
    shape.version ?? primitive(0x02, Uint8Array.of(0)),
    shape.subject ?? constructed(0x30),
    shape.spki ?? decode(key.spki),
    constructed(0xa0, ...(shape.attributes ?? [])),
  );
  const signature = sign(
    /sha(\d+)/i.exec(algorithm)?.[0].toLowerCase(),
    encode(info),
    key.privateKey,
  );
  return encode(
    constructed(
      0x30,
      info,
      constructed(
        0x30,
        decode(oid(SIGNATURE_ALGORITHM[algorithm])),
        ...(algorithm.endsWith("RSAEncryption") ? [NULL] : []),
      ),
      primitive(0x03, Buffer.concat([Uint8Array.of(0), signature])),
    ),
  );
}
