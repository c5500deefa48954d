import { randomBytes, sign, X509Certificate } from "node:crypto";

import { newSerial, parseSerial, serialBytes, type Serial } from "../../src/pki/serial.ts";
import { buildOcspRequest, type OcspQuestion } from "../../src/pki/ocsp-client.ts";
import { delegateOf, type Delegate, type DelegateMaterial } from "../../src/va/delegate.ts";
import { issuerOf, type Issuer, type IssuerRecord } from "../../src/va/issuer.ts";
import { nodeDigest } from "../../src/va/digest.ts";
import {
  certify,
  createIssuing,
  createRoot,
  deviceRequest,
  ecKey,
  profiles,
  responderRequest,
  type Authority,
} from "./certificates.ts";

/** A root and an issuing CA with their delegates, valid by the machine's own clock, because outside judges use it. */
export class VaHierarchy {
  readonly root = createRoot("P-256");
  readonly issuing = createIssuing(this.root);
  readonly rootRecord = recordOf("root-g1", this.root, "root");
  readonly issuingRecord = recordOf("issuing-g1", this.issuing, "issuing");
  readonly rootIssuer: Issuer = issuerOf(this.rootRecord);
  readonly issuingIssuer: Issuer = issuerOf(this.issuingRecord);

  /** The certificate that the signer would make for a delegate's key. */
  delegateCertificate(issuerId: string, spki: Uint8Array, days = 14): Uint8Array {
    const [issuer, profile] =
      issuerId === "root-g1"
        ? ([this.root, profiles.rootOcsp] as const)
        : ([this.issuing, profiles.ocsp] as const);
    return certify(
      {
        ...responderRequest(issuer, profile),
        spki,
        notBefore: fromNow(-5 * 60),
        notAfter: fromNow(days * 86_400),
      },
      issuer.key.privateKey,
    );
  }

  /** A delegate with a fresh key. */
  delegateMaterial(issuerId: string, days = 14): DelegateMaterial {
    const { privateKey, spki } = ecKey();
    const pkcs8 = privateKey.export({ type: "pkcs8", format: "der" });
    return { issuerId, certificate: this.delegateCertificate(issuerId, spki, days), pkcs8 };
  }

  delegate(issuerId: string, days = 14): Delegate {
    const issuer = issuerId === "root-g1" ? this.root : this.issuing;
    return delegateOf(this.delegateMaterial(issuerId, days), issuer.certificate, new Date());
  }

  /** A device's certificate that is valid now. */
  device(serial: Serial = newSerial(randomBytes)): { der: Uint8Array; serial: Serial } {
    const request = {
      ...deviceRequest(this.issuing),
      serial,
      notBefore: fromNow(-5 * 60),
      notAfter: fromNow(395 * 86_400),
    };
    return { der: certify(request, this.issuing.key.privateKey), serial };
  }

  /** What a relying party wants to know of a certificate of the issuing CA. */
  question(serial: Serial, more: Partial<OcspQuestion> = {}): OcspQuestion {
    const { spki, subject } = this.issuingIssuer;
    return { issuerName: subject, issuerSpki: spki, serial, digestName: "sha1", ...more };
  }

  request(serial: Serial, more: Partial<OcspQuestion> = {}): Uint8Array {
    return buildOcspRequest(this.question(serial, more), nodeDigest);
  }

  signTbs(issuerId: string, tbs: Uint8Array): Uint8Array {
    const issuer = issuerId === "root-g1" ? this.root : this.issuing;
    return sign("sha256", tbs, issuer.key.privateKey);
  }
}

const fromNow = (seconds: number): Date => new Date(Math.floor(Date.now() / 1000 + seconds) * 1000);

function recordOf(id: string, authority: Authority, kind: "root" | "issuing"): IssuerRecord {
  const certificate = new X509Certificate(authority.certificate);
  return {
    id,
    kind,
    state: "active",
    serial: serialBytes(parseSerial(certificate.serialNumber.toLowerCase())),
    certificate: authority.certificate,
    subject: authority.facts.subject,
    keyIdentifier: authority.facts.keyIdentifier,
    vaUrl: "http://va.example.jp",
  };
}

export const pemOf = (der: Uint8Array): string => new X509Certificate(der).toString();
