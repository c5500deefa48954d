import type { AddressInfo } from "node:net";

import type { FastifyInstance } from "fastify";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";

import {
  createdPasskey,
  creationChallenge,
  type Passkey,
  usedPasskey,
  useChallenge,
} from "../../src/lifecycle/factors/passkeys.ts";
import { appWith } from "../unit/http/app.ts";

let app: FastifyInstance;
let browser: Browser;
/** The person's own, as rows would have it. */
const passkeys: Passkey[] = [];
const counts: (number | undefined)[] = [];
const site = { name: "Suido", url: "" };
let asked = "";

const PERSON = {
  hasApp: false,
  hasPasskey: true,
  pharmacies: [{ id: "1", name: "みずき薬局", left: 2, devices: [{ id: "a", name: "受付1号機" }] }],
};
const nobody = (): never => {
  throw new Error("nobody asks for this here");
};

beforeAll(async () => {
  ({ app } = await appWith({
    factorVisits: {
      isOpen: nobody,
      begin: nobody,
      newAuthenticator: nobody,
      confirmAuthenticator: nobody,
      remove: nobody,
      look: async () => ({ name: "薬師 太郎", factors: [], until: new Date(0) }),
      passkeyOptions: async () => {
        const person = { accountId: "1", name: "薬師 太郎" };
        const { challenge, options } = await creationChallenge(site, person, passkeys);
        asked = challenge;
        return options;
      },
      addPasskey: async (_session, answer) => {
        const made = await createdPasskey(answer, asked, site);
        if (made !== undefined) passkeys.push(made);
        return made !== undefined;
      },
    },
    emergencies: {
      begin: nobody,
      beginSignedIn: nobody,
      enterCode: nobody,
      enterAppCode: nobody,
      standIn: nobody,
      look: async () => ({
        hasFirst: true,
        hasSecond: counts.at(-1) !== undefined,
        person: PERSON,
      }),
      passkeyOptions: async () => {
        const { challenge, options } = await useChallenge(site, passkeys);
        asked = challenge;
        return options;
      },
      showPasskey: async (_session, answer) => {
        const [passkey] = passkeys;
        if (passkey === undefined) return "none";
        counts.push(await usedPasskey(answer, { challenge: asked, passkey }, site));
        return counts.at(-1) === undefined ? "wrong" : "right";
      },
    },
  }));
  await app.listen({ host: "localhost", port: 0 });
  site.url = `http://localhost:${(app.server.address() as AddressInfo).port}`;
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
});
afterAll(async () => {
  await browser.close();
  await app.close();
});

it("enrols a passkey of Chromium's own authenticator, and is shown it on the night, by the person only", async () => {
  const page = await browser.newPage({ locale: "ja-JP" });
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
    },
  });
  await page.goto(`${site.url}/factors`);
  const isBack = page.waitForEvent("load");
  await page.getByRole("button", { name: "パスキーを登録する" }).click();
  await isBack;
  expect(passkeys).toHaveLength(1);

  await page.goto(`${site.url}/emergency/next`);
  // Somebody else's finger.
  await devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
  await page.getByRole("button", { name: "パスキーを使う" }).click();
  await page.getByRole("alert").waitFor();
  expect(counts).toEqual([]);
  await devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
  await page.getByRole("button", { name: "パスキーを使う" }).click();
  await page.getByRole("heading", { name: "どの端末の代わりですか" }).waitFor();
  expect(counts).toEqual([expect.any(Number)]);
});
