import { readFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toHex } from "../../src/pki/bytes.ts";
import { decodeOcspPath, issuerHashes, parseOcspRequest } from "../../src/pki/ocsp-request.ts";
import { errorResponse, type CertStatus } from "../../src/pki/ocsp-response.ts";
import { errorCode } from "../support/error-code.ts";
import { ocspAnswer, type Answering } from "../support/ocsp-answer.ts";
import { OpensslCa, mustRun, nodeDigest, run, type Party } from "../support/openssl-ca.ts";

const MINUTE = 60_000;
const now = new Date(Math.floor(Date.now() / 1000) * 1000);
const before = (milliseconds: number): Date => new Date(now.getTime() - milliseconds);
const DIGESTS = ["sha1", "sha256", "sha384", "sha512"] as const;
const REVOKED: CertStatus = { kind: "revoked", at: before(60 * MINUTE), reason: 1 };

let ca: OpensslCa;
let delegate: Party;
let leaf: Party;
let second: Party;

beforeAll(() => {
  ca = new OpensslCa();
  delegate = ca.delegate();
  leaf = ca.leaf("leaf");
  second = ca.leaf("second");
});

afterAll(() => {
  ca.dispose();
});

function answer(
  request: Uint8Array,
  status: CertStatus,
  options: Partial<Answering> = {},
): Uint8Array {
  return ocspAnswer(request, { status, by: delegate, now, ...options });
}

/** A request that the openssl program makes. */
function opensslRequest(options: readonly string[] = ["-cert", leaf.pem]): Uint8Array {
  const out = ca.file("openssl.req");
  mustRun("openssl", ["ocsp", "-issuer", ca.issuing.pem, ...options, "-reqout", out]);
  return new Uint8Array(readFileSync(out));
}

/** What the openssl program says about a response to a request. */
function opensslJudges(
  request: Uint8Array,
  response: Uint8Array,
  cert: readonly string[] = ["-cert", leaf.pem],
): string {
  const reqin = ca.write("judged.req", request);
  const respin = ca.write("judged.resp", response);
  const trust = ["-CAfile", ca.root.pem, "-verify_other", ca.issuing.pem];
  return run("openssl", [
    "ocsp",
    "-no_nonce",
    "-reqin",
    reqin,
    "-respin",
    respin,
    "-issuer",
    ca.issuing.pem,
    ...cert,
    ...trust,
  ]).text;
}

/** The nonce as the openssl program prints it. */
const nonceIn = (args: readonly string[]): string | undefined =>
  /OCSP Nonce:\s+([0-9A-F]+)/.exec(mustRun("openssl", ["ocsp", "-noverify", ...args]))?.[1];

describe("O08 O09 requests that OpenSSL makes", () => {
  it.for(DIGESTS)("with %s: our hashes are theirs and the answer verifies", (digestName) => {
    const request = opensslRequest([`-${digestName}`, "-cert", leaf.pem]);
    const [certId] = parseOcspRequest(request).certIds;
    const issuer = { name: ca.issuing.subject, keyOctets: ca.issuing.keyOctets };
    expect(certId).toMatchObject({
      hashAlgorithm: digestName,
      ...issuerHashes(issuer, digestName, nodeDigest),
    });
    expect(toHex(certId?.serial ?? new Uint8Array())).toBe(leaf.serial);
    const said = opensslJudges(request, answer(request, { kind: "good" }), [
      `-${digestName}`,
      "-cert",
      leaf.pem,
    ]);
    expect(said).toContain("Response verify OK");
    expect(said).toContain(`${leaf.pem}: good`);
  });

  it("O15 with its nonce, which comes back", () => {
    const request = opensslRequest();
    expect(parseOcspRequest(request).nonce?.value).toHaveLength(16);
    const reqin = ca.write("nonce.req", request);
    const respin = ca.write("nonce.resp", answer(request, { kind: "good" }));
    const sent = nonceIn(["-reqin", reqin, "-req_text"]);
    expect(sent).toMatch(/^0410[0-9A-F]{32}$/);
    expect(nonceIn(["-respin", respin, "-resp_text"])).toBe(sent);
  });

  it("O10 about two certificates, answered in order", () => {
    const request = opensslRequest(["-cert", leaf.pem, "-cert", second.pem]);
    expect(parseOcspRequest(request).certIds.map(({ serial }) => toHex(serial))).toEqual([
      leaf.serial,
      second.serial,
    ]);
    const said = opensslJudges(request, answer(request, { kind: "good" }), [
      "-cert",
      leaf.pem,
      "-cert",
      second.pem,
    ]);
    expect(said).toContain(`${leaf.pem}: good`);
    expect(said).toContain(`${second.pem}: good`);
  });

  it("O16 signed, with a requestorName", () => {
    const request = opensslRequest([
      "-cert",
      leaf.pem,
      "-signer",
      second.pem,
      "-signkey",
      second.key,
    ]);
    expect(parseOcspRequest(request).certIds).toHaveLength(1);
    expect(opensslJudges(request, answer(request, { kind: "good" }))).toContain(
      `${leaf.pem}: good`,
    );
  });

  it("O02 in a GET's path, with the padding left off", () => {
    const request = opensslRequest(["-no_nonce", "-cert", leaf.pem]);
    const path = Buffer.from(request).toString("base64").replaceAll("=", "");
    expect(decodeOcspPath(`/${path}`)).toEqual(request);
  });
});

const gnutls = (...args: readonly string[]): string => run("ocsptool", [...args]).text;

function gnutlsRequest(): Uint8Array {
  const out = ca.file("gnutls.req");
  mustRun("ocsptool", [
    "--generate-request",
    "--load-issuer",
    ca.issuing.pem,
    "--load-cert",
    leaf.pem,
    "--outfile",
    out,
  ]);
  return new Uint8Array(readFileSync(out));
}

describe("O08 O12 requests that GnuTLS makes", () => {
  it("are read, and the answer verifies", () => {
    const request = gnutlsRequest();
    expect(parseOcspRequest(request).certIds[0]?.hashAlgorithm).toBe("sha1");
    const response = ca.write("gnutls.resp", answer(request, REVOKED));
    expect(
      gnutls("--verify-response", "--load-response", response, "--load-trust", ca.issuing.pem),
    ).toContain("Verifying OCSP Response: Success.");
    const text = gnutls("--response-info", "--load-response", response);
    expect(text).toContain("Certificate Status: revoked");
    expect(text).toContain("Revocation time:");
    expect(text).toContain("Response Status: Successful");
  });

  it("an answer that another key signed is refused", () => {
    const forged = answer(
      gnutlsRequest(),
      { kind: "good" },
      { by: second, certificates: [second.der] },
    );
    const response = ca.write("forged.resp", forged);
    expect(
      gnutls("--verify-response", "--load-response", response, "--load-trust", ca.issuing.pem),
    ).not.toContain("Verifying OCSP Response: Success.");
  });
});

describe("O14 O18 what OpenSSL reads in our answers", () => {
  it.for([
    { name: "unknown", status: { kind: "unknown" }, line: "unknown" },
    { name: "revoked with a reason", status: REVOKED, line: "Reason: keyCompromise" },
    { name: "on hold", status: { ...REVOKED, reason: 6 }, line: "Reason: certificateHold" },
    {
      name: "revoked without a reason",
      status: { ...REVOKED, reason: 0 },
      line: "Revocation Time:",
    },
  ] as const)("$name", ({ line, status }) => {
    const request = opensslRequest();
    const said = opensslJudges(request, answer(request, status));
    expect(said).toContain("Response verify OK");
    expect(said).toContain(line);
    expect(said.includes("Reason:")).toBe(status.kind === "revoked" && status.reason !== 0);
  });

  it("O14 an answer that has expired is not believed", () => {
    const request = opensslRequest();
    const late = answer(request, { kind: "good" }, { nextUpdate: before(10 * MINUTE) });
    expect(opensslJudges(request, late)).toContain("status expired");
  });

  it("O12 the issuing CA may sign by itself, without certs", () => {
    const request = opensslRequest();
    const direct = answer(request, { kind: "good" }, { by: ca.issuing, certificates: [] });
    expect(opensslJudges(request, direct)).toContain("Response verify OK");
  });

  it("O12 a client certificate may not", () => {
    const request = opensslRequest();
    const forged = answer(request, { kind: "good" }, { by: second });
    expect(opensslJudges(request, forged)).toContain("Response Verify Failure");
  });

  it.for([
    ["malformedRequest", "malformedrequest (1)"],
    ["internalError", "internalerror (2)"],
    ["tryLater", "trylater (3)"],
    ["sigRequired", "sigrequired (5)"],
    ["unauthorized", "unauthorized (6)"],
  ] as const)("O05 %s", ([status, name]) => {
    const respin = ca.write("error.resp", errorResponse(status));
    expect(run("openssl", ["ocsp", "-respin", respin, "-noverify"]).text).toContain(
      `Responder Error: ${name}`,
    );
  });

  it("O20 an answer with its delegate's certificate takes less than 2 KB", () => {
    expect(answer(opensslRequest(), REVOKED).length).toBeLessThan(2048);
  });
});

describe("O04 what we accept, OpenSSL accepts", () => {
  it("over mutations of real requests", () => {
    const seeds = [
      opensslRequest(),
      opensslRequest(["-sha256", "-no_nonce", "-cert", leaf.pem, "-cert", second.pem]),
    ];
    const edit = fc.tuple(fc.nat(1000), fc.nat(255));
    const mutated = fc
      .tuple(fc.constantFrom(...seeds), fc.array(edit, { minLength: 1, maxLength: 2 }))
      .map(([seed, edits]) => {
        const bytes = seed.slice();
        for (const [at, octet] of edits) bytes[at % bytes.length] = octet;
        return bytes;
      });
    const accepted = fc
      .sample(mutated, { numRuns: 600, seed: 20_261_121 })
      .filter((bytes) => errorCode(() => parseOcspRequest(bytes)) === undefined);
    expect(accepted.length).toBeGreaterThan(100);
    const files = accepted.map((bytes, index) => ca.write(`mutated-${index}.req`, bytes));
    // One shell for all of them; it prints the requests that OpenSSL refuses.
    const script =
      'for f; do openssl ocsp -reqin "$f" -req_text -noverify >/dev/null 2>&1 || echo "$f"; done';
    expect(mustRun("sh", ["-c", script, "sh", ...files])).toBe("");
  });
});
