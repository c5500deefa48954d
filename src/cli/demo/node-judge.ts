import { X509Certificate } from "node:crypto";

import { parseCertificate } from "../../pki/certificate-view.ts";
import { type CrlView, readCrl } from "../../pki/crl-reader.ts";
import { buildOcspRequest, judgeOcspResponse } from "../../pki/ocsp-client.ts";
import { readOcspResponse } from "../../pki/ocsp-reader.ts";
import { pemBlocks } from "../../pki/pem.ts";
import { parseSerial } from "../../pki/serial.ts";
import type { System } from "../system.ts";
import type { Judge } from "./judge.ts";

/** The full list among several that this issuer signed. */
function listOf(lists: string, issuing: X509Certificate, { verify }: System): CrlView | undefined {
  const spki = issuing.publicKey.export({ format: "der", type: "spki" });
  for (const der of pemBlocks(lists, "X509 CRL")) {
    const list = readCrl(der);
    if (verify(spki, list.signatureAlgorithm, list.tbs, list.signature)) return list;
  }
  return undefined;
}

/** What stands in where the machine has no OpenSSL: Node.js for the signatures, our readers for lists and answers. */
export const nodeJudge = (system: System): Judge => ({
  name: `Node.js ${process.versions.node} (there is no openssl on this machine)`,
  chain: async (evidence) => {
    const leaf = new X509Certificate(evidence.leaf);
    const issuing = new X509Certificate(evidence.issuing);
    const root = new X509Certificate(evidence.root);
    if (!leaf.verify(issuing.publicKey) || !issuing.verify(root.publicKey))
      return { accepted: false, words: "a signature is wrong" };
    const list = listOf(evidence.lists, issuing, system);
    if (list === undefined) return { accepted: false, words: "the issuing CA has no list" };
    const serial = leaf.serialNumber.toLowerCase();
    const isListed = [...list.entries()].some((entry) => entry.serial === serial);
    return {
      accepted: !isListed,
      words: isListed
        ? "the serial stands on the list"
        : "both signatures verify, and the list does not name it",
    };
  },
  ocsp: async ({ issuing, leaf, vaUrl }) => {
    const { subject, spki } = parseCertificate(new X509Certificate(issuing).raw).view;
    const serial = parseSerial(new X509Certificate(leaf).serialNumber.toLowerCase());
    const question = {
      issuerName: subject,
      issuerSpki: spki,
      serial,
      digestName: "sha256",
    } as const;
    const response = await fetch(`${vaUrl}/ocsp`, {
      method: "POST",
      headers: { "content-type": "application/ocsp-request" },
      body: Buffer.from(buildOcspRequest(question, system.digest)),
    });
    const { basic } = readOcspResponse(new Uint8Array(await response.arrayBuffer()));
    if (basic === undefined)
      return { accepted: false, status: "nothing", words: "the responder gave no answer" };
    const { answer, findings } = judgeOcspResponse(basic, question, {
      ...system,
      now: system.clock(),
    });
    const status = answer?.status ?? "nothing";
    return {
      accepted: findings.length === 0,
      status,
      words: findings.join("; ") || `signed by the CA's delegate: ${status}`,
    };
  },
});
