import { X509Certificate } from "node:crypto";
import path from "node:path";

import { openFileKeyStore } from "../../src/ca/file-key-store.ts";
import { readKeks } from "../../src/ca/kek.ts";
import { pemEncode } from "../../src/pki/pem.ts";
import { VALIDITY } from "./certificate-edit.ts";
import { constructed, decode, type DerNode, descend, encode, primitive } from "./der-edit.ts";
import type { Service } from "./service.ts";

const utcTime = (at: Date): string => `${at.toISOString().replaceAll(/[-:T]/g, "").slice(2, 14)}Z`;

/** The signed value with another to-be-signed part, signed with the issuing CA's key out of the service's key store. */
async function signedAnew(service: Service, tree: DerNode): Promise<Uint8Array> {
  const keyStore = openFileKeyStore({
    folder: path.join(service.dataDir, "keys"),
    keks: readKeks(path.join(service.dataDir, "kek")),
    random: (octets) => new Uint8Array(octets),
  });
  const key = await keyStore.open("issuing-g1", "issuing");
  const signature = key.sign(encode(descend(tree, 0)));
  tree.children[2] = primitive(0x03, Buffer.concat([Uint8Array.of(0), signature]));
  return encode(tree);
}

type Dates = readonly [Date, Date];

/**
 * A certificate that the throw-away service's own issuing CA would have signed in another year: the bytes of a real one
 * with other dates, signed with the key out of the service's key store. It keeps its serial, which Suido knows. No service
 * that lives in the present makes such a one, and clocks that are set back would make its lists expire too, which hides
 * what is tested.
 */
export async function signWithOtherDates(
  service: Service,
  pem: string,
  dates: Dates,
): Promise<string> {
  const tree = decode(new Uint8Array(new X509Certificate(pem).raw));
  const times = dates.map((at) => primitive(0x17, utcTime(at)));
  descend(tree, 0).children[VALIDITY] = constructed(0x30, ...times);
  return pemEncode("CERTIFICATE", await signedAnew(service, tree));
}

/** Where thisUpdate and nextUpdate stand in a list: behind version, algorithm and issuer. */
const THIS_UPDATE = 3;

/** The issuing CA's list as it would have been published at another time. */
export async function listOfOtherDates(service: Service, dates: Dates): Promise<string> {
  const tree = decode(await service.published("crl/issuing-g1.crl"));
  const times = dates.map((at) => primitive(0x17, utcTime(at)));
  descend(tree, 0).children.splice(THIS_UPDATE, 2, ...times);
  return pemEncode("X509 CRL", await signedAnew(service, tree));
}
