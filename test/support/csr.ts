import { sign } from "node:crypto";
import { oid } from "../../src/pki/der.ts";
import { type CsrSignatureAlgorithm } from "../../src/pki/csr.ts";
import { SIGNATURE_ALGORITHM } from "../../src/pki/oids.ts";
import { constructed, decode, type DerNode, encode, primitive } from "./der-edit.ts";
import { pemEncode } from "../../src/pki/pem.ts";
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

const attribute = (type: string, value: DerNode): DerNode =>
  constructed(0x30, decode(oid(type)), constructed(0x31, value));
const utf8 = (text: string): DerNode => primitive(0x0c, Buffer.from(text));
const utf16be = (text: string): DerNode => primitive(0x1e, Buffer.from(text, "utf16le").swap16());

/**
 * A request as Windows' certreq writes it ([MS-WCCE] §2.2.2.7): its version, who has run it, extensions, and the provider that
 * made the key; with the label from before RFC 7468, and lines that end as Windows' do.
 */
export function windowsCsr(key: Key, provider = "Microsoft Platform Crypto Provider"): string {
  const keyUsage = constructed(
    0x30,
    decode(oid("2.5.29.15")),
    primitive(0x01, Uint8Array.of(0xff)),
    primitive(0x04, encode(primitive(0x03, Uint8Array.of(7, 0x80)))),
  );
  const keyIdentifier = constructed(
    0x30,
    decode(oid("2.5.29.14")),
    primitive(0x04, encode(primitive(0x04, Buffer.alloc(20, 7)))),
  );
  const attributes = [
    attribute("1.3.6.1.4.1.311.13.2.3", primitive(0x16, Buffer.from("10.0.22621.2"))),
    attribute(
      "1.3.6.1.4.1.311.21.20",
      constructed(
        0x30,
        primitive(0x02, Uint8Array.of(9)),
        utf8("UKETSUKE-01"),
        utf8("UKETSUKE-01\\薬局"),
        utf8("certreq"),
      ),
    ),
    attribute("1.2.840.113549.1.9.14", constructed(0x30, keyUsage, keyIdentifier)),
    attribute(
      "1.3.6.1.4.1.311.13.2.2",
      constructed(
        0x30,
        primitive(0x02, Uint8Array.of(1)),
        utf16be(provider),
        primitive(0x03, Uint8Array.of(0)),
      ),
    ),
  ];
  const name = constructed(0x30, decode(oid("2.5.4.3")), utf8("suido-0f1e2d3c"));
  const subject = constructed(0x30, constructed(0x31, name));
  const der = makeCsr(key, { attributes, subject });
  return pemEncode("NEW CERTIFICATE REQUEST", der).replaceAll("\n", "\r\n");
}
