import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { ask, type Said } from "./outside-judge.ts";
import type { Certificate, Service } from "./service.ts";

/** Somebody who knows nothing of Suido but its published files, and judges with other people's programs. */
export class RelyingParty {
  readonly folder = mkdtempSync(path.join(tmpdir(), "suido-relying-"));
  readonly #service: Service;

  private constructor(service: Service) {
    this.#service = service;
  }

  /** Fetches the CAs from the VA, as an administrator does once. */
  static async open(service: Service): Promise<RelyingParty> {
    const party = new RelyingParty(service);
    for (const id of ["root-g1", "issuing-g1"]) {
      const { raw } = new X509Certificate(await service.published(`ca/${id}.cer`));
      party.write(`${id}.pem`, new X509Certificate(raw).toString());
    }
    return party;
  }

  file(name: string): string {
    return path.join(this.folder, name);
  }

  write(name: string, content: string | Uint8Array): string {
    writeFileSync(this.file(name), content);
    return this.file(name);
  }

  /** The certificate as a file. */
  leaf({ certificate, serialNumber }: Pick<Certificate, "certificate" | "serialNumber">): string {
    return this.write(`${serialNumber}.pem`, certificate);
  }

  /** OpenSSL's word on the whole chain, with the lists that are published now (openssl-verification-options(1)). */
  async verify(certificate: Pick<Certificate, "certificate" | "serialNumber">): Promise<Said> {
    const lists = this.write("lists.pem", await this.#service.published("crl/bundle.pem"));
    const strict = ["-x509_strict", "-crl_check_all", "-purpose", "sslclient"];
    const known = ["-CAfile", this.file("root-g1.pem"), "-untrusted", this.file("issuing-g1.pem")];
    const leaf = this.leaf(certificate);
    return ask("openssl", ["verify", ...strict, ...known, "-CRLfile", lists, leaf]);
  }

  /** What openssl ocsp is told over HTTP: `good`, `revoked`, `unknown`, or all that it said when it believes nothing. */
  async ocsp(certificate: Pick<Certificate, "certificate" | "serialNumber">): Promise<string> {
    const question = ["-issuer", this.file("issuing-g1.pem"), "-cert", this.leaf(certificate)];
    const where = ["-CAfile", this.file("root-g1.pem"), "-url", `${this.#service.vaUrl}/ocsp`];
    const { text } = await ask("openssl", ["ocsp", ...question, ...where]);
    if (!text.includes("Response verify OK")) return text;
    return /^\S+\.pem: (\w+)$/m.exec(text)?.[1] ?? text;
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
