import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { VaServer } from "../support/va-server.ts";

const va = new VaServer();
beforeAll(() => va.open());
afterAll(() => va.close());

describe("files", () => {
  it("R20 a list has its type, strong validators and a short life in caches", async () => {
    const response = await fetch(`${va.url}/crl/issuing-g1.crl`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/pkix-crl");
    expect(response.headers.get("etag")).toBe(va.list.etag);
    expect(response.headers.get("last-modified")).toBe("Sat, 21 Nov 2026 00:00:00 GMT");
    expect(response.headers.get("cache-control")).toMatch(/^max-age=60, public/);
    expect(await response.text()).toBe("a list");
  });

  it.for([
    [{ "if-none-match": "*" }, 304],
    [{ "if-none-match": va.list.etag }, 304],
    [{ "if-none-match": `"x", W/${va.list.etag}` }, 304],
    [{ "if-none-match": '"x"' }, 200],
    [{ "if-modified-since": "Sat, 21 Nov 2026 00:00:00 GMT" }, 304],
    [{ "if-modified-since": "Fri, 20 Nov 2026 23:59:59 GMT" }, 200],
    [{ "if-modified-since": "yesterday" }, 200],
    [{ "if-none-match": '"x"', "if-modified-since": "Sat, 21 Nov 2026 00:00:00 GMT" }, 200],
  ] as [Record<string, string>, number][])(
    "R20 conditional GET %j is %i",
    async ([headers, status]) => {
      const response = await fetch(`${va.url}/crl/issuing-g1.crl`, { headers });
      expect(response.status).toBe(status);
      expect((await response.text()).length).toBe(status === 304 ? 0 : 6);
    },
  );

  it("R20 HEAD says what GET would", async () => {
    const response = await fetch(`${va.url}/crl/issuing-g1.crl`, { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-length")).toBe("6");
    expect(response.headers.get("etag")).toBe(va.list.etag);
  });

  it("C19 a CA's certificate is served as DER", async () => {
    const response = await fetch(`${va.url}/ca/issuing-g1.cer`);
    expect(response.headers.get("content-type")).toBe("application/pkix-cert");
    expect(
      Buffer.from(await response.arrayBuffer()).equals(Buffer.from(va.ca.issuing.certificate)),
    ).toBe(true);
  });

  it.for([
    ["/crl/none-g1.crl", 404],
    ["/crl/bundle.pem", 503],
    ["/ca/bundle.pem", 404],
    ["/elsewhere", 404],
    ["/crl/%zz", 400],
    ["/", 404],
  ] as const)("%s is a problem with status %i that nobody keeps", async ([where, status]) => {
    const { body, head } = await va.raw(
      `GET ${where} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    );
    expect(head).toContain(`HTTP/1.1 ${status} `);
    expect(head).toContain("application/problem+json");
    expect(head).toContain("no-store");
    expect(JSON.parse(body.toString())).toMatchObject({ status });
  });

  it.for(["/health/live", "/health/ready"])("%s answers", async (where) => {
    const response = await fetch(va.url + where);
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
  });
});
