import { randomBytes } from "node:crypto";

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { concat } from "../../src/pki/bytes.ts";
import { judgeOcspResponse } from "../../src/pki/ocsp-client.ts";
import { readOcspResponse, type OcspResponseView } from "../../src/pki/ocsp-reader.ts";
import { newSerial, type Serial } from "../../src/pki/serial.ts";
import { nodeDigest } from "../../src/va/digest.ts";
import { verifySignature } from "../support/certificates.ts";
import { VaServer, base64 } from "../support/va-server.ts";

const va = new VaServer();
beforeAll(() => va.open());
afterAll(() => va.close());

const viewOf = async (response: Response): Promise<OcspResponseView> =>
  readOcspResponse(new Uint8Array(await response.arrayBuffer()));

/** The status of one certificate, from a response that a careful relying party believes. */
async function judged(response: Response, serial: Serial): Promise<unknown> {
  const { basic } = await viewOf(response);
  const { answer, findings } = judgeOcspResponse(
    basic as NonNullable<typeof basic>,
    va.ca.question(serial),
    { digest: nodeDigest, verify: verifySignature, now: new Date() },
  );
  expect(findings).toEqual([]);
  return answer;
}

/** A request whose base64 has all that is troublesome in a path: plus signs, double slashes and padding. */
function troublesome(): { request: Uint8Array; serial: Serial } {
  for (let tried = 0; ; tried++) {
    const serial = newSerial(randomBytes);
    const request = va.ca.request(serial, { nonce: randomBytes(14 + (tried % 3)) });
    const text = base64(request);
    if (text.includes("//") && text.includes("+") && text.endsWith("=")) return { request, serial };
  }
}

describe("what a request gets", () => {
  it("O01 POST is answered with 200 and the bare content type", async () => {
    const serial = va.fresh();
    const response = await va.post(va.ca.request(serial));
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/ocsp-response");
    expect(await judged(response, serial)).toMatchObject({ status: "good" });
  });

  it.for([
    ["unescaped", (text: string) => text],
    ["percent-encoded", (text: string) => encodeURIComponent(text)],
    [
      "percent-encoded in lower case",
      (text: string) => encodeURIComponent(text).replaceAll(/%../g, (c) => c.toLowerCase()),
    ],
    [
      "every character encoded",
      (text: string) => text.replaceAll(/./g, (c) => `%${c.charCodeAt(0).toString(16)}`),
    ],
    ["without padding", (text: string) => text.replace(/=+$/, "")],
    ["after a second slash", (text: string) => `/${text}`],
    ["after an encoded slash", (text: string) => `%2F${text}`],
    ["with a query that means nothing", (text: string) => `${text}?x=1`],
  ] as const)("O02 GET %s", async ([, spell]) => {
    const { request, serial } = troublesome();
    va.set(serial);
    const response = await va.get(spell(base64(request)));
    expect(response.status).toBe(200);
    const view = await viewOf(response);
    expect(view.basic?.responses[0]).toMatchObject({ serial, status: "good" });
  });

  it("O02 GET in absolute-form, as proxies send it", async () => {
    const serial = va.fresh();
    const target = `/ocsp/${encodeURIComponent(base64(va.ca.request(serial)))}`;
    const answer = await va.raw(
      `GET http://va.example.jp${target} HTTP/1.1\r\nHost: va.example.jp\r\nConnection: close\r\n\r\n`,
    );
    const { body, head } = answer;
    expect(head).toMatch(/^HTTP\/1.1 200 OK/);
    expect(readOcspResponse(body).basic?.responses[0]).toMatchObject({ serial, status: "good" });
  });

  it.for(["", "Host: anything.example\r\n"])(
    "O03 HTTP/1.0 GET as nginx sends it, header '%s'",
    async (host) => {
      const serial = va.fresh();
      const target = `/ocsp/${encodeURIComponent(base64(va.ca.request(serial)))}`;
      const { body, head } = await va.raw(`GET ${target} HTTP/1.0\r\n${host}\r\n`);
      expect(head).toMatch(/^HTTP\/1.[01] 200 OK/);
      expect(head.toLowerCase()).not.toContain("transfer-encoding");
      expect(head.toLowerCase()).toContain(`content-length: ${body.length}`);
      expect(head.toLowerCase()).toContain("connection: close");
      expect(readOcspResponse(body).basic?.responses[0]).toMatchObject({ serial, status: "good" });
    },
  );

  it("O03 HTTP/1.0 POST as Apache and OpenSSL send it", async () => {
    const serial = va.fresh();
    const der = va.ca.request(serial);
    const lines = `Content-Type: application/ocsp-request\r\nContent-Length: ${der.length}\r\n\r\n`;
    const { body, head } = await va.raw(
      concat([Buffer.from(`POST /ocsp HTTP/1.0\r\n${lines}`), der]),
    );
    expect(head.toLowerCase()).not.toContain("transfer-encoding");
    expect(readOcspResponse(body).basic?.responses[0]).toMatchObject({ serial, status: "good" });
  });

  it.for([
    ["nothing", new Uint8Array()],
    ["text", Buffer.from("GET / HTTP/1.0")],
    ["a null", Uint8Array.of(5, 0)],
    ["an empty sequence", Uint8Array.of(0x30, 0)],
    ["bytes after the end", concat([va.ca.request(newSerial(randomBytes)), Uint8Array.of(0)])],
    ["too many bytes", new Uint8Array(4097)],
    ["far too many bytes", new Uint8Array(200_000)],
  ] as const)("O04 POST of %s is malformedRequest", async ([, body]) => {
    const response = await va.post(body);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/ocsp-response");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(base64(new Uint8Array(await response.arrayBuffer()))).toBe("MAMKAQE=");
  });

  it.for([
    ["text/plain"],
    ["application/json"],
    ["application/x-www-form-urlencoded"],
    ["nonsense"],
  ])("O04 POST of %s is malformedRequest", async ([type]) => {
    const response = await va.post(va.ca.request(va.fresh()), { "content-type": type ?? "" });
    expect(response.status).toBe(200);
    expect((await viewOf(response)).status).toBe("malformedRequest");
  });

  it.for(["", "/", "%zz", "%ff%fe", "!!!!", "AAAA", "MAA=", "a".repeat(6000), "..%2f..%2fetc"])(
    "O04 GET of %s is malformedRequest",
    async (text) => {
      const answer = await va.raw(
        `GET /ocsp/${text} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      );
      expect(answer.head).toMatch(/^HTTP\/1.1 200 OK/);
      expect(answer.head).toContain("application/ocsp-response");
      expect(base64(answer.body)).toBe("MAMKAQE=");
    },
  );

  it.for([
    ["PUT", "/ocsp", "POST"],
    ["GET", "/ocsp", "POST"],
    ["DELETE", "/ocsp/AAAA", "GET, HEAD"],
    ["POST", "/ocsp/AAAA", "GET, HEAD"],
    ["PROPFIND", "/ocsp/", "GET, HEAD, POST"],
    ["OPTIONS", "/ocsp", "POST"],
    ["POST", "/crl/issuing-g1.crl", "GET, HEAD"],
    ["PATCH", "/ca/issuing-g1.cer", "GET, HEAD"],
  ] as const)("O04 %s %s is 405 and names what is allowed", async ([method, where, allow]) => {
    const { body, head } = await va.raw(
      `${method} ${where} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: a/b\r\nContent-Length: 2\r\n\r\nxy`,
    );
    expect(head).toMatch(/^HTTP\/1.1 405 /);
    expect(head.toLowerCase()).toContain(`allow: ${allow.toLowerCase()}`);
    expect(head).toContain("application/problem+json");
    expect(JSON.parse(body.toString())).toMatchObject({ type: "about:blank", status: 405 });
  });

  it("O18 a negative serial number, which nobody has, is unknown", async () => {
    const serial = va.fresh();
    const request = Buffer.from(va.ca.request(serial));
    request[request.indexOf(serial, 0, "hex")] = 0x80;
    const { basic } = await viewOf(await va.post(request));
    expect(basic?.responses).toMatchObject([{ serial: undefined, status: "unknown" }]);
  });

  it("O04 whatever bytes are posted, 200 and a valid OCSPResponse comes", async () => {
    const seeds = [
      va.ca.request(va.fresh()),
      va.ca.request(va.fresh(), { nonce: randomBytes(16) }),
    ];
    const mutated = fc
      .tuple(fc.constantFrom(...seeds), fc.nat(200), fc.nat(255), fc.nat(3))
      .map(([seed, at, value, cut]) => {
        const bytes = seed.slice(0, seed.length - cut);
        bytes[at % bytes.length] = value;
        return bytes;
      });
    const anything = fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated);
    await fc.assert(
      fc.asyncProperty(anything, fc.boolean(), async (bytes, byPost) => {
        const response = byPost
          ? await va.post(bytes)
          : await va.get(encodeURIComponent(base64(bytes)));
        expect(response.status).toBe(200);
        expect(response.headers.get("content-type")).toBe("application/ocsp-response");
        expect((await viewOf(response)).status).not.toBe("internalError");
      }),
      { numRuns: 600 },
    );
  });
});
