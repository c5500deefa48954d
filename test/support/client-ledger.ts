import { X509Certificate } from "node:crypto";

import type { Dice } from "./dice.ts";
import {
  type Answer,
  type Certificate,
  makeDeviceKey,
  type Service,
  type World,
} from "./service.ts";

type State = "good" | "hold" | "revoked";

/** What a client remembers of a certificate that it was given. */
interface Entry {
  readonly serial: string;
  readonly certificate: string;
  /** The last state that was acknowledged. */
  state: State;
  /** What was asked last and not answered: it may have happened or not. */
  pending?: State;
}

/** A certificate that was asked for and for which no answer came. */
interface Unanswered {
  readonly body: object;
  readonly idempotencyKey: string;
}

/** Statuses with which the service says honestly that it cannot now. What was asked may still have happened. */
const AWAY = 503;

const REASONS = ["keyCompromise", "superseded", "cessationOfOperation", "unspecified"];

/**
 * One of many clients that issue, revoke, hold and release for a device of its own, each one thing after the other. It
 * remembers every acknowledged answer: the promise that must outlive whatever is killed.
 */
export class LedgerClient {
  readonly entries = new Map<string, Entry>();
  /** Answers that no client should ever see. */
  readonly surprises: string[] = [];
  readonly #service: Service;
  readonly #world: World;
  readonly #dice: Dice;
  #unanswered: Unanswered[] = [];
  #asked = 0;

  constructor(service: Service, world: World, dice: Dice) {
    this.#service = service;
    this.#world = world;
    this.#dice = dice;
  }

  /** How many answers it has been given. */
  answered = 0;

  /** Works until `isOver`; a connection that breaks is the end too. */
  async work(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      try {
        await this.#step();
      } catch {
        return;
      }
    }
  }

  async #step(): Promise<void> {
    const chosen = this.#dice.next();
    const good = this.#some("good");
    const held = this.#some("hold");
    if (held !== undefined && chosen < 0.15) await this.#change(held, "unhold", "good");
    else if (held !== undefined && chosen < 0.2) await this.#change(held, "revoke", "revoked");
    else if (good !== undefined && chosen < 0.35) await this.#change(good, "hold", "hold");
    else if (good !== undefined && chosen < 0.5) await this.#change(good, "revoke", "revoked");
    else await this.#issue(chosen > 0.97);
  }

  #some(state: State): Entry | undefined {
    const all = [...this.entries.values()].filter(
      (entry) => entry.state === state && entry.pending === undefined,
    );
    return all.length === 0 ? undefined : this.#dice.of(all);
  }

  async #issue(serverMakesTheKey: boolean): Promise<void> {
    const { accountId, deviceId } = this.#world;
    const key = serverMakesTheKey ? { bundle: "compatible" } : { csr: makeDeviceKey().csr };
    const wish: Unanswered = {
      body: { accountId, deviceId, ...key },
      idempotencyKey: `${deviceId}/${++this.#asked}`,
    };
    this.#unanswered.push(wish);
    this.#noteIssued(wish, await this.#send("/v1/certificates", wish));
  }

  #send(route: string, call: { body?: object; idempotencyKey?: string }): Promise<Answer> {
    return this.#service.call("POST", route, call);
  }

  #noteIssued(wish: Unanswered, answer: Answer): void {
    this.answered += 1;
    if (answer.status === 201) {
      const { serialNumber: serial, certificate } = answer.body as Certificate;
      if (this.entries.has(serial)) this.surprises.push(`${serial} was issued twice`);
      this.entries.set(serial, { serial, certificate, state: "good" });
      this.#unanswered = this.#unanswered.filter((other) => other !== wish);
    } else if (answer.status !== AWAY) this.#surprise("issue", answer);
  }

  async #change(entry: Entry, verb: "revoke" | "hold" | "unhold", to: State): Promise<void> {
    entry.pending = to;
    const reason = verb === "hold" ? "certificateHold" : this.#dice.of(REASONS);
    const route = `/v1/certificates/${entry.serial}/${verb === "unhold" ? "unhold" : "revoke"}`;
    const answer = await this.#send(route, verb === "unhold" ? {} : { body: { reason } });
    this.answered += 1;
    if (answer.status === 200 || answer.status === 202) {
      entry.state = to;
      delete entry.pending;
    } else if (answer.status !== AWAY) this.#surprise(verb, answer);
  }

  #surprise(what: string, { body, status }: Answer): void {
    this.surprises.push(`${what}: ${status} ${JSON.stringify(body)}`);
  }

  /**
   * Asks again, under the same Idempotency-Key, for every certificate whose answer was lost. To be called when the service
   * is whole again, so each has to be given now: the one from before if there is one.
   */
  async askAgain(): Promise<void> {
    for (const wish of this.#unanswered) {
      const answer = await this.#send("/v1/certificates", wish);
      if (answer.status === 201) this.#noteIssued(wish, answer);
      else this.#surprise("asked again", answer);
    }
    this.#unanswered = [];
  }

  /** Holds the service's word against what it acknowledged before. From now on the pending is known. */
  compare(known: ReadonlyMap<string, Certificate>): void {
    for (const entry of this.entries.values()) {
      const now = known.get(entry.serial);
      if (now === undefined || now.certificate !== entry.certificate) {
        this.surprises.push(`${entry.serial} was acknowledged and is lost`);
        continue;
      }
      const possible: readonly (string | undefined)[] = [entry.state, entry.pending];
      if (!possible.includes(now.status))
        this.surprises.push(
          `${entry.serial} is ${now.status}, acknowledged was ${entry.state}, asked ${entry.pending ?? "nothing"}`,
        );
      entry.state = now.status as State;
      delete entry.pending;
    }
  }
}

/** All certificates of a corporation, by serial. Throws when a page repeats one, or a key has two certificates. */
export async function allCertificates(
  service: Service,
  corporationId: string,
): Promise<Map<string, Certificate>> {
  const found = new Map<string, Certificate>();
  const keys = new Map<string, string>();
  let after = "";
  do {
    const route = `/v1/certificates?corporationId=${corporationId}&limit=200${after}`;
    const page = await service.must<{ items: Certificate[]; nextCursor?: string }>("GET", route);
    for (const item of page.items) {
      if (found.has(item.serialNumber)) throw new Error(`${item.serialNumber} is there twice`);
      found.set(item.serialNumber, item);
      const { publicKey } = new X509Certificate(item.certificate);
      const key = publicKey.export({ type: "spki", format: "der" }).toString("base64");
      const other = keys.get(key);
      if (other !== undefined) throw new Error(`${other} and ${item.serialNumber} share a key`);
      keys.set(key, item.serialNumber);
    }
    after = page.nextCursor === undefined ? "" : `&after=${page.nextCursor}`;
  } while (after !== "");
  return found;
}
