import { createDeputies } from "../../../src/lifecycle/deputies.ts";
import { createDesk } from "../../../src/lifecycle/desk.ts";
import { createDeviceHolds } from "../../../src/lifecycle/device-holds.ts";
import { createWaySignIn } from "../../../src/lifecycle/way-sign-in.ts";
import { createOpenId } from "../../../src/staff/openid.ts";
import { createPersonSessions } from "../../../src/staff/person-sessions.ts";
import { openProvider, type TestProvider } from "../../support/openid-provider.ts";
import type { Visitor } from "./visitor.ts";
import { type HttpWorld, openHttpWorld } from "./world.ts";

/** Where the provider sends browsers back to. */
export const REDIRECT_URI = "http://localhost:8000/sign-in/callback";

/** The app with a real provider beside it. */
export interface SignInWorld extends HttpWorld {
  readonly provider: TestProvider;
  /** Goes from our button to the provider, signs in there, and comes back. */
  signIn(visitor: Visitor, subject: string, to?: string): ReturnType<Visitor["go"]>;
  /** The account gets an identity of the provider. */
  register(accountId: string, subject: string): Promise<void>;
}

export async function openSignInWorld(): Promise<SignInWorld> {
  const provider = await openProvider([REDIRECT_URI]);
  const world = await openHttpWorld((own) => ({
    signIn: {
      openId: createOpenId({ ...own, provider, redirectUri: REDIRECT_URI }),
      personSessions: createPersonSessions(own),
      waySignIn: createWaySignIn(own),
      desk: createDesk(own),
      deputies: createDeputies(own),
      deviceHolds: createDeviceHolds(own),
    },
  }));
  return {
    ...world,
    provider,
    async signIn(visitor, subject, to = "home") {
      const { headers } = await visitor.go("GET", `/sign-in/go?to=${to}`);
      const back = await provider.signIn(String(headers.location), { subject });
      const { pathname, search } = new URL(back);
      return visitor.go("GET", pathname + search);
    },
    async register(accountId, subject) {
      const identities = [{ issuer: provider.issuer, subject }];
      await world.call("PATCH", `/v1/accounts/${accountId}`, { body: { identities } });
    },
    async close() {
      await world.close();
      await provider.close();
    },
  };
}
