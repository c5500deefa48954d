import type { LightMyRequestResponse } from "fastify";
import { Secret, TOTP } from "otpauth";

import type { MailMessage } from "../../../src/delivery/mail-message.ts";
import type { EnrolmentWorld } from "./enrolment-world.ts";
import { Visitor } from "./visitor.ts";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

type Reply = Promise<LightMyRequestResponse>;

export const titleOf = ({ body }: { readonly body: string }): string =>
  /<h1[^>]*>([^<]+)</.exec(body)?.[1] ?? "";
export const next = (visitor: Visitor): Reply => visitor.go("GET", "/emergency/next");
export const title = async (visitor: Visitor): Promise<string> => titleOf(await next(visitor));
export const enterCode = (visitor: Visitor, code: string): Reply =>
  visitor.go("POST", "/emergency/codes", { form: { code } });
export const enterApp = (visitor: Visitor, code: string): Reply =>
  visitor.go("POST", "/emergency/app-codes", { form: { code } });
export const choose = (visitor: Visitor, device: string): Reply =>
  visitor.go("POST", "/emergency/devices", { form: { device } });

/** The cookie with which a browser goes on the way, of the answer to a choice. */
export const wayCookie = ({ headers }: Pick<LightMyRequestResponse, "headers">): string =>
  /suido-way=[0-9a-f]+/.exec(String(headers["set-cookie"]))?.[0] ?? "";

/** Fails the test where a form was not taken. */
function demandDone({ statusCode }: LightMyRequestResponse): void {
  if (statusCode !== 303) throw new Error(`the form was answered with ${statusCode}`);
}

/** What people do on the night on which a machine fails, and before. */
export class Night {
  readonly #world: EnrolmentWorld;

  constructor(world: EnrolmentWorld) {
    this.#world = world;
  }

  later(ms: number): void {
    const { time } = this.#world.side;
    time.now = time.signer = new Date(time.now.getTime() + ms);
  }

  /** What the mails to somebody say that are due now; those of before are read. */
  async mailsTo(wanted: string): Promise<readonly MailMessage[]> {
    return (await this.#world.sent()).filter(({ to }) => to === wanted);
  }

  /** Enrols an app a while ago, as support has a person do. Returns what it shows. */
  async prepared(accountId: string, to: string): Promise<() => string> {
    const { app, keys, side } = this.#world;
    const path = `/v1/accounts/${accountId}/factor-links`;
    await this.#world.call("POST", path, { key: keys.support, body: { how: "telephone" } });
    const mails = await this.mailsTo(to);
    const token = /\/factors\/([0-9a-f]{32})/.exec(mails.at(-1)?.text ?? "")?.[1] ?? "";
    const visitor = new Visitor(app);
    await visitor.go("POST", "/factors", { form: { token } });
    await visitor.go("POST", "/factors/authenticator", { form: {} });
    const { body } = await visitor.go("GET", "/factors");
    const [, text = ""] = /<code>([A-Z2-7 ]+)<\/code>/.exec(body) ?? [];
    const totp = new TOTP({ secret: Secret.fromBase32(text.replaceAll(" ", "")) });
    const show = (): string => totp.generate({ timestamp: side.time.now.getTime() });
    await visitor.go("POST", "/factors/authenticator/codes", { form: { code: show() } });
    await this.#world.sent();
    this.later(MINUTE);
    return show;
  }

  /** A browser whose person has shown the first factor. */
  async half(to: string): Promise<Visitor> {
    const visitor = new Visitor(this.#world.app);
    // What waits was asked for by another browser: several are sent at a time, so their order tells nothing.
    await this.mailsTo(to);
    await visitor.go("POST", "/emergency", { form: { address: to } });
    const codes = (await this.mailsTo(to)).map(({ subject }) => /(\d{3} \d{3})/.exec(subject)?.[1]);
    demandDone(await enterCode(visitor, codes.find((code) => code !== undefined) ?? ""));
    return visitor;
  }

  /** And the second. */
  async whole(app: () => string, to: string): Promise<Visitor> {
    const visitor = await this.half(to);
    demandDone(await enterApp(visitor, app()));
    this.later(MINUTE);
    return visitor;
  }
}
