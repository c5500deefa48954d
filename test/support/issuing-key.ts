import { X509Certificate } from "node:crypto";
import path from "node:path";

import { openFileKeyStore } from "../../src/ca/file-key-store.ts";
import { readKeks } from "../../src/ca/kek.ts";
import { pemEncode } from "../../src/pki/pem.ts";
import { VALIDITY } from "./certificate-edit.ts";
import { constructed, decode, descend, encode, primitive } from "./der-edit.ts";
import type { Service } from "./service.ts";

const utcTime = (at: Date): string => `${at.toISOString().replaceAll(/[-:T]/g, "").slice(2, 14)}Z`;

/**
 * A certificate that the throw-away service's own issuing CA would have signed in another year: the bytes of a real one
 * with other dates, signed with the key out of the service's key store. It keeps its serial, which Suido knows. No service
 * that lives in the present makes such a one, and clocks that are set back would make its lists expire too, which hides
 * what is tested.
 */
export async function signWithOtherDates(
  service: Service,
  pem: string,
  [notBefore, notAfter]: readonly [Date, Date],
): Promise<string> {
  const keyStore = openFileKeyStore({
    folder: path.join(service.dataDir, "keys"),
    keks: readKeks(path.join(service.dataDir, "kek")),
    random: (octets) => new Uint8Array(octets),
  });
  const key = await keyStore.open("issuing-g1", "issuing");
  const tree = decode(new Uint8Array(new X509Certificate(pem).raw));
  const tbs = descend(tree, 0);
  const dates = [notBefore, notAfter].map((at) => primitive(0x17, utcTime(at)));
  tbs.children[VALIDITY] = constructed(0x30, ...dates);
  const signature = key.sign(encode(tbs));
  tree.children[2] = primitive(0x03, Buffer.concat([Uint8Array.of(0), signature]));
  return pemEncode("CERTIFICATE", encode(tree));
}
