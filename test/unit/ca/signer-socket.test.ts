import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { ListRefusedError } from "../../../src/ca/errors.ts";
import { writeFrame } from "../../../src/ca/frames.ts";
import type { PreparedLists, SignerClient } from "../../../src/ca/signer-client.ts";
import { connectSigner, serveSocket, type SignerSocket } from "../../../src/ca/signer-socket.ts";
import type { Json } from "../../../src/ca/wire.ts";
import { parseSerial } from "../../../src/pki/serial.ts";
import { reached } from "../../support/signer-reached.ts";

const log = pino({ level: "silent" });
const SERIAL = parseSerial("4a".repeat(16));

const LISTS: PreparedLists = {
  batchId: "b",
  issuerId: "issuing-g1",
  watermark: 9_007_199_254_740_993n,
  at: new Date("2027-01-01T00:00:00.123Z"),
  lists: [
    {
      scope: "full",
      number: 1n << 70n,
      thisUpdate: new Date("2026-12-31T23:55:00Z"),
      nextUpdate: new Date("2027-01-08T00:00:00Z"),
      entries: 3,
      sha256: "0".repeat(64),
      der: Uint8Array.of(0x30, 0x00, 0xff),
    },
  ],
};

/** A signer that signs nothing, and counts what it is asked. */
class Counting implements SignerClient {
  asked = 0;

  async issue(serials: readonly (typeof SERIAL)[]): ReturnType<SignerClient["issue"]> {
    this.asked++;
    return serials.map((serial) => ({ serial, outcome: "good" }));
  }
  async journal(): Promise<void> {
    this.asked++;
  }
  async prepareLists(): Promise<PreparedLists> {
    this.asked++;
    return LISTS;
  }
  commitLists(): Promise<void> {
    this.asked++;
    return Promise.reject(new ListRefusedError(["one", "x".repeat(10_000)]));
  }
  async delegate(_issuerId: string, spki: Uint8Array): Promise<Uint8Array> {
    this.asked++;
    return spki;
  }
  /** For ever. */
  serverCertificate(): Promise<Uint8Array> {
    this.asked++;
    return new Promise(() => undefined);
  }
  async status(): ReturnType<SignerClient["status"]> {
    this.asked++;
    const [epoch, journalLag, reserved] = [1, 0, 0];
    return { state: "ready", epoch, journalId: "j", journalSeq: 7n, journalLag, reserved };
  }
  async close(): Promise<void> {
    this.asked++;
  }
}

let folder: string;
let where: string;
let behind: Counting;
let served: SignerSocket | undefined;
let client: SignerClient;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "suido-socket-"));
  where = path.join(folder, "signer.sock");
  behind = new Counting();
  served = await serveSocket({ path: where, signer: behind, log });
  client = await reached(connectSigner({ path: where, log }));
});
afterEach(async () => {
  await client.close();
  await served?.close();
  rmSync(folder, { recursive: true });
});

/** Sends octets, and resolves with all that came back once the other side has closed the connection. */
async function tell(bytes: Uint8Array): Promise<Buffer> {
  const socket = connect(where);
  const heard: Buffer[] = [];
  socket.on("data", (piece) => heard.push(piece));
  // A connection that is cut off while we still write breaks for us.
  socket.on("error", () => undefined);
  const closed = new Promise((resolve) => socket.on("close", resolve));
  socket.write(bytes);
  await closed;
  return Buffer.concat(heard);
}

const request = (change: Readonly<Record<string, Json>>): Buffer =>
  writeFrame({ id: 1, method: "status", args: [], ...change });

describe("what crosses", () => {
  it("bigints, dates and octets arrive as they were", async () => {
    expect(await client.prepareLists("issuing-g1")).toEqual(LISTS);
    const spki = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect(await client.delegate("issuing-g1", spki)).toEqual(spki);
  });

  it("findings arrive with the error, cut where they are endless", async () => {
    await expect(client.commitLists("b", [])).rejects.toMatchObject({
      code: "list-refused",
      findings: ["one", "x".repeat(4_000)],
    });
  });

  it("a thousand requests at once are all answered", async () => {
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => client.issue([SERIAL])));
    expect(answers).toEqual(answers.map(() => [{ serial: SERIAL, outcome: "good" }]));
  });

  it("only the owner and the group of the folder may connect", () => {
    expect(statSync(where).mode & 0o777).toBe(0o660);
  });
});

describe("what is not as agreed closes the connection, and no more", () => {
  // Whatever came, others are served as before.
  afterEach(async () => void (await reached(client)));

  it.for([
    ["another method", request({ method: "close" })],
    ["a method of every object", request({ method: "constructor" })],
    ["a member too many", request({ more: 1 })],
    ["an argument too many", request({ args: [1] })],
    ["an argument too few", request({ method: "journal" })],
    ["a negative id", request({ id: -1 })],
    ["half an id", request({ id: 0.5 })],
    ["a text for a list", request({ method: "issue", args: ["4a"] })],
    ["a serial in capitals", request({ method: "issue", args: [["4A".repeat(16)]] })],
    ["too many serials", request({ method: "issue", args: [Array(1_001).fill(SERIAL)] })],
    ["a number for digits", request({ method: "journal", args: [5] })],
    ["digits of hex", request({ method: "journal", args: ["0x10"] })],
    ["endless digits", request({ method: "journal", args: ["9".repeat(50)] })],
    ["base64 with a line break", request({ method: "delegate", args: ["a", "AA==\n"] })],
    ["base64 of the web", request({ method: "delegate", args: ["a", "_-8="] })],
    ["a key that is too long", request({ method: "delegate", args: ["a", "A".repeat(8_000)] })],
    ["null", writeFrame(null)],
    ["a list", writeFrame([1, "status", []])],
    ["no JSON", Buffer.concat([Buffer.of(0, 0, 0, 3), Buffer.from("{1}")])],
    ["no UTF-8", Buffer.concat([Buffer.of(0, 0, 0, 3), Buffer.of(0x22, 0xff, 0x22)])],
    ["nothing in a frame", Buffer.of(0, 0, 0, 0)],
    ["a frame that is too long", Buffer.of(0xff, 0xff, 0xff, 0xff)],
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")],
  ] as const)("%s", async ([, bytes]) => {
    const { asked } = behind;
    expect(await tell(bytes)).toEqual(Buffer.alloc(0));
    expect(behind.asked).toBe(asked);
  });

  it("any octets in any pieces", { timeout: 60_000 }, async () => {
    const { asked } = behind;
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array({ minLength: 4, maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
          fc.json().map((json) => writeFrame(JSON.parse(json) as Json)),
          fc
            .dictionary(fc.constantFrom("id", "method", "args", "x"), fc.jsonValue())
            .map((fields) => request({ ...(fields as Record<string, Json>), more: 1 })),
        ),
        async (bytes) => {
          // What is not whole yet is waited for, so its end is told.
          const end = Buffer.of(0xff, 0xff, 0xff, 0xff);
          const most = Buffer.alloc(256 * 1024 + 8, 0xff);
          expect(await tell(Buffer.concat([bytes, end, most]))).toEqual(Buffer.alloc(0));
        },
      ),
      { numRuns: 300 },
    );
    expect(behind.asked).toBe(asked);
  });
});

describe("a signer that speaks otherwise", () => {
  let strange: Server;
  let answer: Buffer;
  let other: SignerClient;

  beforeEach(async () => {
    strange = createServer((socket) => {
      socket.on("data", () => socket.write(answer));
      socket.on("error", () => undefined);
    });
    const there = path.join(folder, "strange.sock");
    strange.listen(there);
    await once(strange, "listening");
    other = connectSigner({ path: there, log });
    await new Promise((resolve) => setTimeout(resolve, 50));
  });
  afterEach(async () => {
    await other.close();
    await new Promise((resolve) => strange.close(resolve));
  });

  it.for([
    ["a result of another kind", writeFrame({ id: 1, result: ["ready"] })],
    ["a status with a member too many", writeFrame({ id: 1, result: { state: "ready", x: 1 } })],
    ["an error that we do not know", writeFrame({ id: 1, error: { code: "x", message: "" } })],
    [
      "a code that is every object's",
      writeFrame({ id: 1, error: { code: "toString", message: "" } }),
    ],
    ["both", writeFrame({ id: 1, result: null, error: { code: "failed", message: "" } })],
    ["neither", writeFrame({ id: 1 })],
    ["no JSON", Buffer.concat([Buffer.of(0, 0, 0, 1), Buffer.from("{")])],
    ["a frame that is too long", Buffer.of(0xff, 0xff, 0xff, 0xff)],
  ] as const)("is not believed: %s", async ([, bytes]) => {
    answer = bytes;
    await expect(other.status()).rejects.toMatchObject({ code: "signer-unavailable" });
  });

  it("and an answer that nobody waits for is passed over", async () => {
    answer = Buffer.concat([
      writeFrame({ id: 77, result: "whatever" }),
      writeFrame({ id: 1, error: { code: "quarantine", message: "so it is" } }),
    ]);
    await expect(other.status()).rejects.toMatchObject({
      code: "quarantine",
      message: "so it is",
    });
  });
});

describe("a signer that goes and comes", () => {
  it("is refused meanwhile, and found again", async () => {
    const there = path.join(folder, "mortal.sock");
    const mortal = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.on("data", () => socket.destroy());
    });
    mortal.listen(there);
    await once(mortal, "listening");
    const other = connectSigner({ path: there, log });
    await expect(other.status()).rejects.toMatchObject({ message: "the signer is not reached" });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await expect(other.status()).rejects.toMatchObject({
      code: "signer-unavailable",
      message: "the connection to the signer ended before it answered",
    });
    await new Promise((resolve) => mortal.close(resolve));
    await expect(other.status()).rejects.toMatchObject({ message: "the signer is not reached" });
    const again = await serveSocket({ path: there, signer: behind, log });
    expect(await (await reached(other)).status()).toMatchObject({ state: "ready" });
    await other.close();
    await again.close();
  });

  it("a socket that a killed process has left is cleared away", async () => {
    const left = path.join(folder, "left.sock");
    const killed = spawn(process.execPath, [
      "-e",
      `require("node:net").createServer().listen(${JSON.stringify(left)}, () => process.kill(process.pid, "SIGKILL"))`,
    ]);
    await once(killed, "exit");
    expect(existsSync(left)).toBe(true);
    const early = connectSigner({ path: left, log });
    await expect(early.status()).rejects.toMatchObject({ code: "signer-unavailable" });
    const again = await serveSocket({ path: left, signer: behind, log });
    expect(await (await reached(early)).status()).toMatchObject({ state: "ready" });
    await again.close();
    expect(existsSync(left)).toBe(false);
    await expect(early.status()).rejects.toMatchObject({ code: "signer-unavailable" });
    const third = await serveSocket({ path: left, signer: behind, log });
    expect(await (await reached(early)).status()).toMatchObject({ state: "ready" });
    await early.close();
    await third.close();
  });

  it("a second one at the same place is refused, and the first goes on", async () => {
    await expect(serveSocket({ path: where, signer: behind, log })).rejects.toMatchObject({
      code: "journal-in-use",
    });
    expect(await client.status()).toMatchObject({ state: "ready" });
  });
});
