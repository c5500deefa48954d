import { randomBytes } from "node:crypto";

import { pino } from "pino";

import { openDatabase } from "../../src/storage/database.ts";
import { listen } from "../../src/storage/listen.ts";
import { octetsOf } from "../../src/va/responder.ts";
import { createVa } from "../../src/va/va.ts";
import { verifySignature } from "./certificates.ts";

/** What the process is told: where to work, a delegate's certificate that it asked for, or what it is asked. */
export type ToVa =
  | { readonly kind: "start"; readonly url: string; readonly folder: string }
  | { readonly kind: "delegate"; readonly certificate: Uint8Array }
  | { readonly kind: "ask"; readonly id: number; readonly request: Uint8Array }
  | { readonly kind: "file"; readonly id: number; readonly name: string };

export type FromVa =
  | { readonly kind: "delegate"; readonly issuerId: string; readonly spki: Uint8Array }
  | { readonly kind: "ready" }
  | { readonly kind: "answer"; readonly id: number; readonly body: Uint8Array | undefined };

const tell = (message: FromVa): void => void process.send?.(message);

/** A VA in a process of its own, for tests that issue in another. */
async function start(url: string, folder: string): Promise<void> {
  const connection = { url, role: "suido_va" } as const;
  const va = await createVa({
    database: openDatabase({ ...connection, max: 3, applicationName: "va-process" }),
    subscribe: (subscription) => listen({ ...connection, ...subscription }),
    requestDelegate: (issuerId, spki) =>
      new Promise((resolve) => {
        process.on("message", (message: ToVa) => {
          if (message.kind === "delegate") resolve(message.certificate);
        });
        tell({ kind: "delegate", issuerId, spki });
      }),
    folder,
    maxStaleMs: 86_400_000,
    clock: () => new Date(),
    random: (octets) => randomBytes(octets),
    verify: verifySignature,
    log: pino({ level: "silent" }),
  });
  process.on("message", (message: ToVa) => {
    if (message.kind === "file") {
      tell({ kind: "answer", id: message.id, body: va.repository.get(message.name)?.body });
    }
    if (message.kind !== "ask") return;
    void Promise.resolve(va.responder.answer(message.request)).then((answer) =>
      tell({ kind: "answer", id: message.id, body: octetsOf(answer) }),
    );
  });
  const waiting = setInterval(() => {
    if (!va.ready()) return;
    clearInterval(waiting);
    tell({ kind: "ready" });
  }, 20);
}

process.on("disconnect", () => process.exit());
process.on("message", (message: ToVa) => {
  if (message.kind === "start") void start(message.url, message.folder);
});
