import path from "node:path";

import {
  type MadeRequest,
  makeRequest,
  type RequestWishes,
} from "../../src/ca/root-request-making.ts";
import { sealRootKey } from "../../src/ca/root-seal.ts";
import type { RootResponse } from "../../src/ca/root-response.ts";
import { openSession, signSession } from "../../src/ca/root-signing.ts";
import { Transcript } from "../../src/ca/root-transcript.ts";
import { openSealedRoot, readSealedRoot, readShareFiles } from "../../src/ca/sealed-root.ts";
import { readKeks } from "../../src/ca/kek.ts";
import { makePendingDelegate } from "../../src/va/delegate-file.ts";
import { caConfig, system, type TestCa, TIME_ZONE } from "./signer.ts";

/** The sealed root of a test's CA: asks it, and signs as two people do. */
export class SealedTestRoot {
  readonly ca: TestCa;
  readonly folder: string;
  readonly vaFolder: string;
  #shares: readonly string[] = [];

  private constructor(ca: TestCa) {
    this.ca = ca;
    this.folder = path.join(ca.folder, "vault");
    this.vaFolder = path.join(ca.folder, "va");
  }

  static async seal(ca: TestCa): Promise<SealedTestRoot> {
    const root = new SealedTestRoot(ca);
    const { shares } = await sealRootKey({
      ...system,
      clock: ca.clock,
      database: ca.database,
      store: { folder: path.join(ca.folder, "keys"), keks: readKeks(path.join(ca.folder, "kek")) },
      folder: root.folder,
      threshold: 2,
      total: 3,
      actor: "cli:test",
    });
    root.#shares = shares.slice(1).map(({ page }) => page);
    return root;
  }

  request(wishes: Partial<RequestWishes> = {}): Promise<MadeRequest> {
    return makeRequest(
      { revoke: [], reason: "superseded", newIssuing: false, replace: false, ...wishes },
      {
        ...system,
        clock: this.ca.clock,
        database: this.ca.database,
        keyStore: this.ca.keyStore,
        caConfig,
        timeZone: TIME_ZONE,
        actor: "cli:test",
        makeDelegateKey: (requestId, issuerId) =>
          makePendingDelegate(this.vaFolder, { requestId, issuerId }, system.random),
      },
    );
  }

  /** Signs a request's file, without asking anybody. */
  async sign(content: string, clock = this.ca.clock): Promise<RootResponse> {
    const { rootId: id, certificate, vaUrl } = readSealedRoot(this.folder);
    const deps = { ...system, clock, caConfig };
    const session = openSession(content, { id, certificate, vaUrl }, deps);
    const transcript = new Transcript(clock);
    transcript.add(`request SHA-256 ${session.requestHash}`);
    const key = await openSealedRoot(this.folder, readShareFiles(this.#shares));
    return signSession(session, { key, by: ["A", "B"], transcript }, deps);
  }

  /** The opened key, for forgers. */
  key(): ReturnType<typeof openSealedRoot> {
    return openSealedRoot(this.folder, readShareFiles(this.#shares));
  }
}
