import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { hostile, openFiles, type Outcome, pour, residentMb } from "../support/hostile.ts";
import { RelyingParty } from "../support/relying-party.ts";
import { eventually, type Issued, Service } from "../support/service.ts";

/** What a hostile client may cost, in memory that stays. */
const MEMORY_MB = 20;

let service: Service;
let party: RelyingParty;
let good: Issued;
let port: number;

beforeAll(async () => {
  service = await Service.open({ SUIDO_LOG_LEVEL: "error" });
  party = await RelyingParty.open(service);
  good = await service.issue(await service.world());
  port = Number(new URL(service.vaUrl).port);
  expectGood(await party.ocsp(good));
});

afterAll(async () => {
  party.dispose();
  await service.dispose();
});

const expectGood = (said: string): void => {
  if (said !== "good") throw new Error(`OCSP says ${said}`);
};

const head = (method: string, target: string, ...fields: string[]): string =>
  [`${method} ${target} HTTP/1.1`, "Host: va.example.jp", ...fields, "", ""].join("\r\n");

const OCSP_TYPE = "Content-Type: application/ocsp-request";

const GIGABYTE = 1_000_000_000;
const CHUNK = Buffer.alloc(65_536, 0x30);

/** Whatever was tried, the others are answered, and the memory is not gone. */
async function unharmed(before: number): Promise<void> {
  expectGood(await party.ocsp(good));
  await eventually(
    async () => residentMb(service.pid),
    (after) => after - before < MEMORY_MB,
    5_000,
  );
}

describe("F20 giant and odd requests", () => {
  it.for<[string, RegExp, (socket: Socket, isOver: () => boolean) => Promise<void>]>([
    [
      "a body of 1 GB",
      /^HTTP\/1.1 200 OK[^]*content-length: 5\r\n/,
      async (socket, isOver) => {
        socket.write(head("POST", "/ocsp", OCSP_TYPE, `Content-Length: ${GIGABYTE}`));
        await pour(socket, CHUNK, { octets: GIGABYTE, isOver });
      },
    ],
    [
      "a body in chunks without end",
      /^HTTP\/1.1 200 OK[^]*content-length: 5\r\n/,
      async (socket, isOver) => {
        socket.write(head("POST", "/ocsp", OCSP_TYPE, "Transfer-Encoding: chunked"));
        const chunk = Buffer.concat([Buffer.from("10000\r\n"), CHUNK, Buffer.from("\r\n")]);
        await pour(socket, chunk, { octets: GIGABYTE, isOver });
      },
    ],
    [
      "a body without end for an address that takes none",
      /^HTTP\/1.1 405 /,
      async (socket, isOver) => {
        socket.write(head("PUT", "/crl/issuing-g1.crl", "Transfer-Encoding: chunked"));
        const chunk = Buffer.concat([Buffer.from("10000\r\n"), CHUNK, Buffer.from("\r\n")]);
        await pour(socket, chunk, { octets: GIGABYTE, isOver });
      },
    ],
    [
      "100,000 header fields",
      /^HTTP\/1.1 431 /,
      async (socket, isOver) => {
        socket.write("GET /ocsp/AAAA HTTP/1.1\r\nHost: x\r\n");
        await pour(socket, "x-a: b\r\n", { octets: 800_000, isOver });
      },
    ],
    [
      "an address of a megabyte",
      /^HTTP\/1.1 431 /,
      async (socket, isOver) => {
        socket.write("GET /ocsp/");
        await pour(socket, "A".repeat(4_096), { octets: 1_000_000, isOver });
      },
    ],
    [
      "a length and chunks at the same time (RFC 9112 §6.1)",
      /^HTTP\/1.1 400 /,
      async (socket) => {
        const fields = [OCSP_TYPE, "Content-Length: 4", "Transfer-Encoding: chunked"];
        socket.write(
          `${head("POST", "/ocsp", ...fields)}0\r\n\r\nGET /ca/bundle.pem HTTP/1.1\r\n\r\n`,
        );
      },
    ],
    [
      "two lengths",
      /^HTTP\/1.1 400 /,
      async (socket) => {
        socket.write(head("POST", "/ocsp", OCSP_TYPE, "Content-Length: 4", "Content-Length: 5"));
      },
    ],
    [
      "bytes that are no HTTP",
      /^HTTP\/1.1 400 /,
      async (socket) => {
        socket.write(randomBytes(512));
      },
    ],
  ])("%s", async ([, expected, attack]) => {
    const before = residentMb(service.pid);
    const { closed, sent, text, tookMs }: Outcome = await hostile(port, attack);
    expect(text).toMatch(expected);
    expect(closed).toBe(true);
    expect(tookMs).toBeLessThan(15_000);
    // What nobody reads is not taken either, but for what lies in buffers.
    expect(sent).toBeLessThan(64_000_000);
    await unharmed(before);
  });

  it("what was compressed a thousandfold is bytes like others, and not unpacked", async () => {
    const before = residentMb(service.pid);
    const bomb = gzipSync(Buffer.alloc(4_000_000));
    const response = await fetch(`${service.vaUrl}/ocsp`, {
      method: "POST",
      headers: { "content-type": "application/ocsp-request", "content-encoding": "gzip" },
      body: bomb.subarray(0, 4_096),
    });
    expect(response.status).toBe(200);
    expect(Buffer.from(await response.arrayBuffer()).toString("hex")).toBe("30030a0101");
    await unharmed(before);
  });
});

/** So many octets around nothing, each level one tag and one length. */
const nested = (levels: number): Uint8Array => {
  let inner = Buffer.alloc(0);
  for (let n = 0; n < levels; n++) {
    const { length } = inner;
    const size =
      length < 0x80
        ? [length]
        : length < 0x100
          ? [0x81, length]
          : [0x82, length >> 8, length & 255];
    inner = Buffer.concat([Buffer.from([0x30, ...size]), inner]);
  }
  return inner;
};

describe("F21 DER that is none", () => {
  it.for<[string, Uint8Array]>([
    ["a thousand levels", nested(1_000)],
    ["a length of 4 GB", Uint8Array.of(0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x30, 0x00)],
    ["a length of 2^1000", Uint8Array.of(0x30, 0xfe, ...Buffer.alloc(126, 0xff))],
    ["an indefinite length", Uint8Array.of(0x30, 0x80, 0x30, 0x80, 0, 0, 0, 0)],
    ["a tag without end", new Uint8Array(4_000).fill(0xff)],
    [
      "an OBJECT IDENTIFIER without end",
      Uint8Array.of(0x06, 0x82, 0x0f, 0x00, ...Buffer.alloc(3_840, 0x80)),
    ],
    ["nothing but nulls", new Uint8Array(4_096)],
    ["four kilobytes of randomness", randomBytes(4_096)],
  ])("%s is malformedRequest, at once, by POST and by GET", async ([, der]) => {
    const before = residentMb(service.pid);
    const began = performance.now();
    const target = `/ocsp/${encodeURIComponent(Buffer.from(der).toString("base64"))}`;
    const answers = await Promise.all([
      fetch(`${service.vaUrl}/ocsp`, {
        method: "POST",
        headers: { "content-type": "application/ocsp-request" },
        body: Buffer.from(der),
      }),
      fetch(`${service.vaUrl}${target}`),
    ]);
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(Buffer.from(await answer.arrayBuffer()).toString("hex")).toBe("30030a0101");
    }
    expect(performance.now() - began).toBeLessThan(1_000);
    await unharmed(before);
  });
});

/** The time of each of many questions, in milliseconds, sorted. */
async function times(): Promise<number[]> {
  const taken: number[] = [];
  for (let n = 0; n < 100; n++) {
    const began = performance.now();
    const response = await fetch(`${service.vaUrl}/crl/issuing-g1.crl`);
    await response.arrayBuffer();
    taken.push(performance.now() - began);
  }
  return taken.toSorted((a, b) => a - b);
}

const open = (first: string): Socket => {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(first);
  return socket;
};

describe("F19 a thousand slow clients", () => {
  const SLOW = 1_000;

  it(
    "headers and bodies that trickle in hold up nobody, and are thrown out",
    { timeout: 60_000 },
    async () => {
      const files = openFiles(service.pid);
      const before = residentMb(service.pid);
      const idle = (await times()).at(-1) ?? 0;
      const kinds = [
        "GET /ocsp/AAAA HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        head("POST", "/ocsp", OCSP_TYPE, "Content-Length: 4000"),
      ];
      const sockets = Array.from({ length: SLOW }, (_, n) => open(kinds[n % 2] ?? ""));
      const trickle = setInterval(() => {
        for (const socket of sockets) if (socket.writable) socket.write("0");
      }, 1_000);
      await eventually(
        async () => openFiles(service.pid),
        (count) => count >= files + SLOW,
        10_000,
      );
      expect((await times()).at(-1)).toBeLessThan(Math.max(2 * idle, 250));
      // None of them ever closes: it is we who do.
      await eventually(
        async () => openFiles(service.pid),
        (count) => count <= files + 20,
        25_000,
      );
      clearInterval(trickle);
      for (const socket of sockets) socket.destroy();
      expectGood(await party.ocsp(good));
      await eventually(
        async () => residentMb(service.pid),
        (after) => after - before < 2 * MEMORY_MB,
        10_000,
      );
    },
  );

  it("sixteen requests at once are answered, each", async () => {
    const target = "/ca/issuing-g1.cer";
    const last = head("GET", target, "Connection: close");
    const { text } = await hostile(port, async (socket) => {
      socket.write(head("GET", target).repeat(15) + last);
    });
    expect(text.match(/HTTP\/1.1 200 OK/g)).toHaveLength(16);
  });

  it("readers that never read hold no memory of ours, and end", { timeout: 90_000 }, async () => {
    const files = openFiles(service.pid);
    const before = residentMb(service.pid);
    const many = head("GET", "/crl/bundle.pem").repeat(200);
    const sockets = Array.from({ length: 20 }, () => open(many));
    const asking = setInterval(() => {
      for (const socket of sockets.filter(({ writableNeedDrain }) => !writableNeedDrain))
        socket.write(many);
    }, 20);
    await sleep(3_000);
    clearInterval(asking);
    expectGood(await party.ocsp(good));
    // What was read and thrown away meanwhile is collected a moment later.
    await expect
      .poll(() => residentMb(service.pid) - before, { timeout: 5_000 })
      .toBeLessThan(4 * MEMORY_MB);
    await eventually(
      async () => openFiles(service.pid),
      (count) => count <= files + 2,
      45_000,
    );
    for (const socket of sockets) socket.destroy();
  });
});
