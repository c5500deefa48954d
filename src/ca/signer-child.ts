import { handOver, removeHandoffs } from "./list-handoff.ts";
import type { PreparedLists, SignerClient } from "./signer-client.ts";
import { answerRequest, type SignerRequest } from "./signer-message.ts";
import type { SignerSettings } from "./signer-process.ts";

/** What the parent says: first the settings, then requests, last that it is over. */
export type ParentMessage =
  | { readonly kind: "start"; readonly settings: SignerSettings }
  | { readonly kind: "request"; readonly request: SignerRequest }
  | { readonly kind: "stop" };

/** What the child says of itself; replies aside. */
export type ChildMessage =
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "reply"; readonly reply: Awaited<ReturnType<typeof answerRequest>> };

/** The exit codes of the signer's process: over, cannot start, must start anew. */
export const EXIT = { stopped: 0, failed: 1, fatal: 70 } as const;

/** The part of `process` that the child of a fork uses. */
export interface ChildSide {
  send(message: ChildMessage, sent?: () => void): void;
  onMessage(hear: (message: ParentMessage) => void): void;
  onDisconnect(hear: () => void): void;
  exit(code: number): void;
}

/**
 * Serves a signer to the parent over the channel of a fork. A parent that is gone leaves nobody to work for: after a
 * kill -9 of it the channel's end is all that the child hears.
 */
export function serveParent(
  side: ChildSide,
  start: (settings: SignerSettings) => Promise<SignerClient>,
): void {
  let signer: Promise<SignerClient> | undefined;
  const underWay = new Set<Promise<void>>();

  let folder = "";

  const begin = async (settings: SignerSettings): Promise<void> => {
    folder = settings.vaFolder;
    signer = start(settings);
    try {
      await signer;
      await removeHandoffs(folder);
      side.send({ kind: "ready" });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      side.send({ kind: "failed", message }, () => side.exit(EXIT.failed));
    }
  };
  const answer = async (request: SignerRequest): Promise<void> => {
    if (signer === undefined) return;
    const reply = await answerRequest(await signer, request);
    if (request.method !== "prepareLists" || "error" in reply) side.send({ kind: "reply", reply });
    else {
      const result = await handOver(reply.result as PreparedLists, folder);
      side.send({ kind: "reply", reply: { id: reply.id, result } });
    }
  };
  const stop = async (code: number): Promise<void> => {
    await Promise.all(underWay);
    await (await signer)?.close();
    side.exit(code);
  };

  side.onDisconnect(() => side.exit(EXIT.stopped));
  side.onMessage((message) => {
    if (message.kind === "start") void begin(message.settings);
    else if (message.kind === "stop") void stop(EXIT.stopped);
    else {
      const work = answer(message.request).finally(() => underWay.delete(work));
      underWay.add(work);
    }
  });
}
