import { VaProcessError } from "./errors.ts";
import {
  STATUS_MS,
  type FromVaProcess,
  type ToVaProcess,
  type VaProcessSettings,
  type VaQuestion,
} from "./process-message.ts";
import type { VaStatus } from "./va-status.ts";

/** The part of `process` that a further process of the VA uses. */
export interface VaChildSide {
  send(message: FromVaProcess, sent?: () => void): void;
  onMessage(hear: (message: ToVaProcess) => void): void;
  onDisconnect(hear: () => void): void;
  exit(code: number): void;
}

/** A VA that listens. */
export interface ListeningVa {
  status(): VaStatus;
  /** Answers what is asked already, and closes. */
  close(): Promise<void>;
}

/** Asks the first process. Rejects where it refuses or says nothing. */
export type AskFirst = (question: VaQuestion) => Promise<unknown>;

/** A signer that is asked for a delegate may be busy with its lists. */
const PATIENCE_MS = 30_000;

/** The questions to the first process that have no answer yet. */
class Questions {
  readonly #send: (message: FromVaProcess) => void;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #asked = 0;

  constructor(send: (message: FromVaProcess) => void) {
    this.#send = send;
  }

  readonly ask: AskFirst = (question) => {
    const id = this.#asked++;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    const timer = setTimeout(
      () => this.#settle(id)?.reject(new VaProcessError("the first process does not answer")),
      PATIENCE_MS,
    );
    this.#send({ kind: "question", id, question });
    return waiting.promise.finally(() => clearTimeout(timer));
  };

  hear(message: ToVaProcess): void {
    if (message.kind === "answer") this.#settle(message.id)?.resolve(message.value);
    else if (message.kind === "refusal")
      this.#settle(message.id)?.reject(new VaProcessError(message.reason));
  }

  #settle(id: number): PromiseWithResolvers<unknown> | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }
}

/**
 * Runs a VA for the process that started this one. When that one is gone there is nobody left to keep its snapshot or to
 * ask the signer, and whoever starts it anew starts this one too.
 */
export function serveFirst(
  side: VaChildSide,
  open: (settings: VaProcessSettings, ask: AskFirst) => Promise<ListeningVa>,
): void {
  const questions = new Questions((message) => side.send(message));
  let va: Promise<ListeningVa> | undefined;

  const begin = async (settings: VaProcessSettings): Promise<void> => {
    try {
      va = open(settings, questions.ask);
      const opened = await va;
      const say = (): void => side.send({ kind: "status", status: opened.status() });
      say();
      setInterval(say, STATUS_MS).unref();
      side.send({ kind: "listening" });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      side.send({ kind: "failed", reason }, () => side.exit(1));
    }
  };

  const stop = async (): Promise<void> => {
    await (await va?.catch(() => undefined))?.close();
    side.exit(0);
  };

  side.onDisconnect(() => side.exit(0));
  side.onMessage((message) => {
    if (message.kind === "start") void begin(message.settings);
    else if (message.kind === "stop") void stop();
    else questions.hear(message);
  });
}
