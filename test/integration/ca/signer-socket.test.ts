import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe } from "vitest";
import { connectSigner, serveSocket, type SignerSocket } from "../../../src/ca/signer-socket.ts";
import type { SignerClient } from "../../../src/ca/signer-client.ts";
import type { Signer } from "../../../src/ca/signer.ts";
import { describeSignerClient } from "../../support/signer-client-contract.ts";
import { reached } from "../../support/signer-reached.ts";
import { TestCa } from "../../support/signer.ts";

const log = pino({ level: "silent" });

describe("a signer behind a Unix socket", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "suido-socket-"));
  let ca: TestCa;
  let behind: Signer;
  let socket: SignerSocket;
  let signer: SignerClient;

  beforeAll(async () => {
    ca = await TestCa.create();
    behind = await ca.start();
    const where = path.join(folder, "signer.sock");
    socket = await serveSocket({ path: where, signer: behind, log });
    signer = await reached(connectSigner({ path: where, log }));
  });
  afterAll(async () => {
    await signer.close();
    await socket.close();
    await behind.close();
    await ca.drop();
    rmSync(folder, { recursive: true });
  });

  describeSignerClient("over a socket", () => ({ ca, signer }));
});
