import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { readOcspResponse } from "../../../src/pki/ocsp-reader.ts";
import { base64, nowSeconds, VaServer } from "../../support/va-server.ts";

const va = new VaServer();
beforeAll(() => va.open());
afterAll(() => va.close());

const pathOf = (request: Uint8Array): string => `/ocsp/${encodeURIComponent(base64(request))}`;

const postOf = (request: Uint8Array): Buffer =>
  Buffer.concat([
    Buffer.from(
      `POST /ocsp HTTP/1.1\r\nHost: va\r\nConnection: close\r\nContent-Type: application/ocsp-request\r\nContent-Length: ${request.length}\r\n\r\n`,
    ),
    request,
  ]);

const statusOf = (body: Uint8Array): string | undefined =>
  readOcspResponse(body).basic?.responses[0]?.status;

/** What differs from one second to the next. */
const withoutTimes = (head: string): string =>
  head.replace(/^date: .*$/im, "").replace(/max-age=\d+/, "");

describe("a request that was answered before", () => {
  const request = va.ca.request(va.fresh());
  const path = pathOf(request);

  it.for([
    { name: "HTTP/1.1", lines: `GET ${path} HTTP/1.1\r\nHost: va\r\nConnection: close` },
    { name: "HTTP/1.0", lines: `GET ${path} HTTP/1.0` },
    { name: "HTTP/1.0 that says so", lines: `GET ${path} HTTP/1.0\r\nConnection: close` },
    { name: "HEAD", lines: `HEAD ${path} HTTP/1.1\r\nHost: va\r\nConnection: close` },
    {
      name: "any tag",
      lines: `GET ${path} HTTP/1.1\r\nHost: va\r\nIf-None-Match: *\r\nConnection: close`,
    },
    {
      name: "another tag",
      lines: `GET ${path} HTTP/1.1\r\nHost: va\r\nIf-None-Match: "x"\r\nConnection: close`,
    },
  ])("gets the same again: $name", async ({ lines }) => {
    va.responder.setIssuers([va.ca.rootIssuer, va.ca.issuingIssuer]);
    const kept = va.responder.cached();
    const routed = await va.raw(`${lines}\r\n\r\n`);
    const again = await va.raw(`${lines}\r\n\r\n`);
    expect([kept, va.responder.cached()]).toEqual([0, 1]);
    expect(withoutTimes(again.head)).toBe(withoutTimes(routed.head));
    expect(again.body.equals(routed.body)).toBe(true);
  });

  it("is told of a revocation in that very moment", async () => {
    const serial = va.fresh();
    const url = `${va.url}${pathOf(va.ca.request(serial))}`;
    const ask = async (): Promise<string | undefined> =>
      statusOf(new Uint8Array(await (await fetch(url)).arrayBuffer()));
    expect([await ask(), await ask()]).toEqual(["good", "good"]);
    va.set(serial, { state: "revoked", reason: 1, revokedAt: nowSeconds() });
    expect(await ask()).toBe("revoked");
  });

  it("counts like any other", async () => {
    const before = va.counts.good;
    for (let i = 0; i < 3; i++) await (await fetch(`${va.url}${path}`)).arrayBuffer();
    expect(va.counts.good).toBe(before + 3);
  });
});

describe("a POST", () => {
  it("may come in pieces", async () => {
    const bytes = postOf(va.ca.request(va.fresh()));
    const socket = connect(Number(new URL(va.url).port), "127.0.0.1");
    for (let at = 0; at < bytes.length; at += 60) {
      socket.write(bytes.subarray(at, at + 60));
      await wait(2);
    }
    const parts = await socket.toArray();
    const answer = Buffer.concat(parts as Buffer[]);
    expect(statusOf(answer.subarray(answer.indexOf("\r\n\r\n") + 4))).toBe("good");
  });

  it("whose client goes away in the middle hurts nobody", async () => {
    const bytes = postOf(va.ca.request(va.fresh()));
    const socket = connect(Number(new URL(va.url).port), "127.0.0.1");
    await once(socket, "connect");
    socket.write(bytes.subarray(0, bytes.length - 10));
    await wait(20);
    socket.destroy();
    const { body } = await va.raw(bytes);
    expect(statusOf(body)).toBe("good");
  });

  it("and a GET on one connection are answered in their order", async () => {
    const [good, revoked] = [
      va.fresh(),
      va.fresh({ state: "revoked", reason: 1, revokedAt: nowSeconds() }),
    ];
    const get = `GET ${pathOf(va.ca.request(revoked))} HTTP/1.1\r\nHost: va\r\n\r\n`;
    await va.raw(get.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    const post = postOf(va.ca.request(good));
    const { head, body } = await va.raw(Buffer.concat([Buffer.from(get), post]));
    const length = Number(/content-length: (\d+)/.exec(head)?.[1]);
    const rest = body.subarray(length);
    expect(statusOf(body.subarray(0, length))).toBe("revoked");
    expect(statusOf(rest.subarray(rest.indexOf("\r\n\r\n") + 4))).toBe("good");
  });
});

it("ends each connection with its answer once the listener is to close", async () => {
  const closing = new VaServer();
  await closing.open();
  const path = pathOf(closing.ca.request(closing.fresh()));
  const ask = `GET ${path} HTTP/1.1\r\nHost: va\r\n\r\n`;
  const socket = connect(Number(new URL(closing.url).port), "127.0.0.1");
  socket.write(ask);
  const [first] = (await once(socket, "data")) as [Buffer];
  const closed = closing.close();
  socket.write(ask);
  const rest = Buffer.concat((await socket.toArray()) as Buffer[]);
  await closed;
  expect(first.toString("latin1")).toMatch(/^connection: keep-alive/im);
  expect(rest.toString("latin1")).toMatch(/^HTTP\/1.1 200 OK[^]*^connection: close/im);
});
