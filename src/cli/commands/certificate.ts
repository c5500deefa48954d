import { createCertificates } from "../../ca/certificates.ts";
import type { CertificateRecord } from "../../ca/certificate-record.ts";
import { createChainOf } from "../../ca/issuer-chain.ts";
import { createRevocation } from "../../ca/revocation.ts";
import { type Command, show, type Surroundings } from "../command.ts";
import { givenReason, givenSerial } from "../given.ts";
import { operatorAtTheMachine } from "../operator.ts";
import { reachDatabase } from "../reach.ts";
import { publishNow, watchJournal } from "../signing.ts";

function linesOf(certificate: CertificateRecord): string[] {
  const { serialNumber, status, reason, revokedAt, notBefore, notAfter } = certificate;
  const since =
    revokedAt === undefined ? "" : ` since ${revokedAt.toISOString()} (${reason ?? "unspecified"})`;
  return [
    `${serialNumber}  ${status}${since}`,
    `  valid ${notBefore.toISOString()} to ${notAfter.toISOString()}`,
    `  device ${certificate.deviceId}, responsible ${certificate.accountId}`,
    `  pharmacy ${certificate.pharmacyId}, corporation ${certificate.corporationId}`,
    `  sha256 ${certificate.fingerprint}`,
    ...(certificate.replaces === undefined ? [] : [`  replaces ${certificate.replaces}`]),
    ...(certificate.replacedBy === undefined ? [] : [`  replaced by ${certificate.replacedBy}`]),
    certificate.certificate.trimEnd(),
  ];
}

const showCertificate: Command = {
  words: ["cert", "show"],
  positionals: ["serial"],
  summary: "show a certificate and what has become of it",
  run: async (given, surroundings) => {
    const serial = givenSerial(given);
    const certificate = await reachDatabase(surroundings, ({ open }) => {
      const database = open("suido_app");
      const certificates = createCertificates({
        ...surroundings.system,
        database,
        chainOf: createChainOf(database),
      });
      return certificates.one(operatorAtTheMachine(), serial);
    });
    show(given, surroundings, { json: certificate, lines: linesOf(certificate) });
    return 0;
  },
};

const revoke: Command = {
  words: ["cert", "revoke"],
  positionals: ["serial"],
  options: {
    reason: {
      type: "string",
      value: "REASON",
      help: "by its RFC 5280 name; unspecified if not given",
    },
  },
  summary: "revoke a certificate",
  run: async (given, surroundings) => {
    const serial = givenSerial(given);
    const reason = givenReason(given);
    const { certificate, journaled } = await reachDatabase(surroundings, ({ open }) => {
      const database = open("suido_app");
      const certificates = createCertificates({
        ...surroundings.system,
        database,
        chainOf: createChainOf(database),
      });
      const revocation = createRevocation({
        ...surroundings.system,
        database,
        certificates,
        signer: watchJournal(database),
      });
      return revocation.revoke(operatorAtTheMachine(), serial, reason);
    });
    show(given, surroundings, {
      json: {
        serialNumber: serial,
        status: certificate.status,
        reason: certificate.reason,
        revokedAt: certificate.revokedAt,
        journaled,
      },
      lines: [
        `${serial} is ${certificate.status}${journaled ? "" : "; it comes into the journal when the signer is back"}`,
      ],
    });
    return 0;
  },
};

const publish: Command = {
  words: ["crl", "publish"],
  summary: "make, check and publish the lists of the issuing CAs now",
  run: async (given, surroundings: Surroundings) => {
    const lists = await reachDatabase(surroundings, (reached) =>
      publishNow(reached, surroundings.system),
    );
    show(given, surroundings, {
      json: { lists },
      lines: lists.map(
        ({ issuerId, number, entries }) => `${issuerId}  list ${number}, ${entries} entries`,
      ),
    });
    return 0;
  },
};

export const certificateCommands: readonly Command[] = [showCertificate, revoke, publish];
