import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answerFindings } from "../../../src/ca/root-import.ts";
import { readRequest, type RootRequest, writeRequest } from "../../../src/ca/root-request.ts";
import {
  readResponse,
  type RootResponse,
  signedText,
  writeResponse,
} from "../../../src/ca/root-response.ts";
import { openSession } from "../../../src/ca/root-signing.ts";
import { readSealedRoot } from "../../../src/ca/sealed-root.ts";
import { pemEncode } from "../../../src/pki/pem.ts";
import { newSerial } from "../../../src/pki/serial.ts";
import { mustRun } from "../../support/openssl-ca.ts";
import { SealedTestRoot } from "../../support/root-session.ts";
import { caConfig, system, TestCa } from "../../support/signer.ts";

async function rootCertificate(ca: TestCa): Promise<Buffer> {
  const [row] = await ca.superuser.query<{ certificate: Buffer }>(
    "select certificate from ca.issuer where id = 'root-g1'",
  );
  return row?.certificate ?? Buffer.alloc(0);
}

describe("what a root session refuses to sign", () => {
  let ca: TestCa;
  let root: SealedTestRoot;
  let content: string;
  let request: RootRequest;
  beforeAll(async () => {
    ca = await TestCa.create();
    await (await ca.start()).close();
    root = await SealedTestRoot.seal(ca);
    ({ content, request } = await root.request({ newIssuing: true, revoke: ["issuing-g1"] }));
  });
  afterAll(() => ca.drop());

  const open = (text: string, offsetMs = 0) => {
    const { rootId: id, certificate, vaUrl } = readSealedRoot(root.folder);
    const clock = (): Date => new Date(ca.clock().getTime() + offsetMs);
    return openSession(text, { id, certificate, vaUrl }, { ...system, clock, caConfig });
  };
  const edited = (edit: (request: RootRequest) => Partial<RootRequest>): string =>
    writeRequest({ ...request, ...edit(request) });
  const spki = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({
    format: "der",
    type: "spki",
  });
  const small = generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey.export({
    format: "der",
    type: "spki",
  });

  it("shows what it would sign", () => {
    const { items, lines } = open(content);
    expect(items.map(({ what }) => what)).toEqual(["list", "delegate", "issuing"]);
    const told = [...lines, ...items.flatMap((item) => item.lines)].join("\n");
    expect(told).toContain("REVOKES    the issuing CA issuing-g1");
    expect(told).toContain(`revoked   ${request.revocations[0]?.serial}`);
    expect(told).toContain("subject    CN=Suido Issuing CA G2,O=Suido");
    expect(told).toContain("basicConstraints (2.5.29.19), critical: CA, path length 0");
    expect(told).toContain("extKeyUsage (2.5.29.37): OCSPSigning");
    expect(told).toContain(`serial     ${request.delegate.serial}`);
  });

  it.for<readonly [string, (request: RootRequest) => Partial<RootRequest>, RegExp]>([
    [
      "another root",
      ({ root: { id } }) => ({ root: { id, kind: "root", fingerprint: "00".repeat(32) } }),
      /another root/,
    ],
    ["another address", () => ({ vaUrl: "http://evil.example.jp" }), /names the address/],
    [
      "another profile",
      ({ delegate }) => ({ delegate: { ...delegate, profile: "ocsp" } }),
      /profile/,
    ],
    [
      "a key that the profile does not allow",
      ({ delegate }) => ({ delegate: { ...delegate, spki: small } }),
      /P-384/,
    ],
    [
      "a CA whose key nobody has",
      ({ issuing }) => ({ ...(issuing && { issuing: { ...issuing, spki } }) }),
      /shown that they have its key/,
    ],
    [
      "a CA of another name",
      ({ issuing }) => ({ ...(issuing && { issuing: { ...issuing, commonName: "Other CA" } }) }),
      /not the next one/,
    ],
    [
      "a CA that is there already",
      ({ issuing }) => ({
        ...(issuing && { issuing: { ...issuing, id: "issuing-g1", generation: 1 } }),
      }),
      /not the next one/,
    ],
    [
      "a revocation that is not on the list",
      ({ list }) => ({ list: { ...list, entries: [] } }),
      /not on the list/,
    ],
    [
      "a list that names one certificate twice",
      ({ list }) => ({ list: { ...list, entries: [...list.entries, ...list.entries] } }),
      /must be unique/,
    ],
  ])("%s", ([, edit, refusal]) => {
    expect(() => open(edited(edit))).toThrow(refusal);
  });

  it("a file in another spelling, with another member, or cut off", () => {
    expect(() => open(content.replace(":", ": "))).toThrow("bytes were changed");
    expect(() => open(content.replace("{", '{"more":1,'))).toThrow("this is not a request");
    expect(() => open(content.slice(0, 200))).toThrow("this is not a request");
  });

  it("a request from tomorrow, and one of last month", () => {
    expect(() => open(content, -3_600_000)).toThrow("clock of this machine");
    expect(() => open(content, 31 * 86_400_000)).toThrow("30 days old");
  });
});

describe("what an import refuses", () => {
  let ca: TestCa;
  let root: SealedTestRoot;
  let content: string;
  let request: RootRequest;
  let response: RootResponse;
  beforeAll(async () => {
    ca = await TestCa.create();
    await (await ca.start()).close();
    root = await SealedTestRoot.seal(ca);
    const wishes = { newIssuing: true, revoke: ["issuing-g1"], reason: "cACompromise" } as const;
    ({ content, request } = await root.request(wishes));
    response = await root.sign(content);
  });
  afterAll(() => ca.drop());

  const findings = (text: string): Promise<readonly string[]> =>
    answerFindings(
      ca.database,
      {
        id: request.id,
        root_id: "root-g1",
        request: content,
        response: text,
        answered_by: "cli:test",
      },
      { ...system, clock: ca.clock, profiles: caConfig.profiles },
    );
  /** As the root itself would sign the whole of it: somebody who has its key for a moment. */
  const resigned = async (changes: Partial<RootResponse>): Promise<string> => {
    const { signature: _, ...unsigned } = { ...response, ...changes };
    const key = await root.key();
    return writeResponse({ ...unsigned, signature: key.sign(signedText(unsigned)) });
  };
  /** What the root makes of a changed request. */
  const ofOther = async (change: Partial<RootRequest>): Promise<RootResponse> =>
    root.sign(writeRequest({ ...request, ...change }));

  it("nothing of what was asked for", async () => {
    expect(await findings(writeResponse(response))).toEqual([]);
  });

  it("a transcript that was changed", async () => {
    const transcript = response.transcript.replace("signed", "Signed");
    expect(await findings(writeResponse({ ...response, transcript }))).toEqual([
      expect.stringContaining("the signature is not the root's"),
      expect.stringContaining("transcript does not fit"),
    ]);
    expect(await findings(await resigned({ transcript }))).toEqual([
      expect.stringContaining("transcript does not fit"),
    ]);
  });

  it("a delegate with another key, and one with another serial", async () => {
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const spki = publicKey.export({ format: "der", type: "spki" });
    for (const change of [{ spki }, { serial: newSerial(system.random) }]) {
      const other = await ofOther({ delegate: { ...request.delegate, ...change } });
      const found = await findings(await resigned({ delegate: other.delegate }));
      expect(found.join()).toContain("delegate: ");
      expect(found.join()).toContain("the transcript does not name");
    }
  });

  it("a list with a missing entry, and one with another number", async () => {
    const list = { ...request.list, entries: [] };
    const empty = await ofOther({ list, revocations: [] });
    expect((await findings(await resigned({ list: empty.list }))).join()).toContain("R16");
    const older = await ofOther({
      list: { ...request.list, number: request.list.number + 10n ** 17n },
    });
    expect((await findings(await resigned({ list: older.list }))).join()).toContain("another list");
  });

  it("the answer to another request, or to this one after it was changed", async () => {
    const other = await ofOther({ list: { ...request.list, number: 7n } });
    expect((await findings(writeResponse(other))).join()).toContain("answers another request");
  });

  it("an issuing CA that is missing", async () => {
    const { issuing: _, ...without } = response;
    const key = await root.key();
    const { signature: __, ...unsigned } = without;
    const text = writeResponse({ ...unsigned, signature: key.sign(signedText(unsigned)) });
    expect((await findings(text)).join()).toContain("not asked for, or missing");
  });

  it("one that two people did not sign, or before the request, or in the future", async () => {
    expect((await findings(await resigned({ by: ["A", "a "] }))).join()).toContain("two people");
    const early = await resigned({ at: new Date(request.at.getTime() - 1000) });
    expect((await findings(early)).join()).toContain("before the request");
    const late = await root.sign(content, () => new Date(ca.clock().getTime() + 3_600_000));
    expect((await findings(writeResponse(late))).join()).toContain("in the future");
  });

  it("bytes that are no response", async () => {
    const text = writeResponse(response);
    expect(() => readResponse(text.replace(/"list":"..../, '"list":"!!!!'))).toThrow(
      "not a response",
    );
    for (const length of [0, 1, 300, text.length / 2, text.length - 2])
      expect(() => readResponse(text.slice(0, length))).toThrow("not a response");
    expect(() => readResponse(text + text)).toThrow("not a response");
    expect((await findings(text.trimEnd())).join()).toContain("bytes were changed");
    expect(writeRequest(readRequest(content))).toBe(content);
  });

  it("a number that is not above the published one, whoever published it", async () => {
    await ca.database.query(
      `insert into ca.list (issuer_id, scope, number, watermark, this_update, next_update, entries, sha256, der, current, signed_at)
       select issuer_id, scope, 9000000000000000000, watermark, this_update, next_update, entries, sha256, null, false, signed_at from ca.list
       where issuer_id = 'root-g1' and current`,
    );
    await ca.database.query(
      "update ca.list set current = false where issuer_id = 'root-g1' and current",
    );
    await ca.superuser.query(
      "update ca.list set current = true, der = (select der from ca.list where issuer_id = 'root-g1' and der is not null) where issuer_id = 'root-g1' and number = 9000000000000000000",
    );
    expect((await findings(writeResponse(response))).join()).toContain("R04");
  });

  it("what OpenSSL would not", async () => {
    const folder = mkdtempSync(path.join(ca.folder, "openssl-"));
    const put = (name: string, label: string, der: Uint8Array): string => {
      const file = path.join(folder, name);
      writeFileSync(file, pemEncode(label, der));
      return file;
    };
    const trusted = put("root.pem", "CERTIFICATE", await rootCertificate(ca));
    const list = put("list.pem", "X509 CRL", response.list);
    const at = String(Math.floor(ca.clock().getTime() / 1000));
    const fresh = put("issuing.pem", "CERTIFICATE", response.issuing ?? new Uint8Array());
    const delegate = put("delegate.pem", "CERTIFICATE", response.delegate);
    const verify = [
      "verify",
      "-x509_strict",
      "-attime",
      at,
      "-CAfile",
      trusted,
      "-CRLfile",
      list,
      "-crl_check",
    ];
    expect(mustRun("openssl", [...verify, fresh])).toContain("OK");
    expect(mustRun("openssl", [...verify, "-purpose", "ocsphelper", delegate])).toContain("OK");
    expect(
      mustRun("openssl", ["crl", "-in", list, "-CAfile", trusted, "-noout", "-text"]),
    ).toContain("CA Compromise");
  });
});
